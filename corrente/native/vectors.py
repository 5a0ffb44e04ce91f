"""Vectors: the vocabulary of a gate's `emit` as LLVM instructions, in text, several lanes at once.

A curve (exp, sin, …) is written once per module, as a function on vectors that LLVM puts in place
where it is small. No instruction carries a flag that changes NaN, infinity or the sign of zero.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from corrente.native import circles, exponentials, logarithms, powers

PURE = "memory(none) nounwind willreturn"
"""What every function here promises, so that LLVM shares equal calls and moves them freely."""

FLOATS = {"double": "f64", "float": "f32"}
INTEGERS = {"i1": "i1", "i8": "i8", "i32": "i32", "i64": "i64"}
WIDTHS = {"i1": 1, "i8": 8, "i32": 32, "i64": 64, "float": 32, "double": 64}
UNSIGNED = ("i1", "i8")
"""Truth values, as bits and as NumPy's bytes."""


class Value(NamedTuple):
    """A value of the function being written."""

    name: str
    """Its name, or the text of a constant without its type."""
    kind: str
    """The type of one element: double, float, i1, i8, i32 or i64."""


class Module:
    """What the functions of one LLVM module need beside themselves, each once.

    `manner` is what curves ask of LLVM: `noinline` compiles fastest where a module repeats them,
    `alwaysinline` where it does not; a curve in its place runs about a sixth faster than a call.
    Without it LLVM decides by size.

    >>> module = Module()
    >>> module.declare("llvm.sqrt.f64", "double", "double")
    >>> print(module.text())
    declare double @llvm.sqrt.f64(double)
    """

    def __init__(self, manner: str = "") -> None:
        self.manner = manner
        self._texts: dict[str, str] = {}

    def declare(self, name: str, out: str, *ins: str) -> None:
        """Declare a function from outside: an intrinsic, or one of the C library."""
        if name not in self._texts:
            promise = "" if name.startswith("llvm.") else f" {PURE}"
            self._texts[name] = f"declare {out} @{name}({', '.join(ins)}){promise}"

    def define(self, name: str, write: Callable[[], str]) -> None:
        """Define a function unless it is there."""
        if name not in self._texts:
            self._texts[name] = ""
            self._texts[name] = write()

    def text(self) -> str:
        """Return all declarations and definitions."""
        return "\n".join(self._texts.values())


def _literal(number: float, kind: str) -> str:
    """Write a constant of one element."""
    if kind in FLOATS:
        if kind == "float":
            number = _single(number)
        # of a float too LLVM reads the bits of a double
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if not math.isfinite(number):
        raise TypeError(f"{number} is no {kind}")
    return ("true" if number else "false") if kind == "i1" else str(int(number))


def _single(number: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)


def _curve(rule: Callable[..., Value]) -> Callable[..., Value]:
    """Make the method that calls a curve's function."""

    def method(self: Vectors, *ins: Value) -> Value:
        return self.curve(rule, *ins)

    method.__doc__ = rule.__doc__
    return method


class Vectors:
    """Instructions on `lanes` elements at once, appended to the lines of one function.

    One lane means plain scalars. `prefix` keeps the names of two builders apart that write into
    the same function.

    >>> lines, module = [], Module()
    >>> b = Vectors(4, lines, module)
    >>> x = Value("%x", "float")
    >>> b.add(b.mul(x, x), b.const(1.0, x))
    Value(name='%v2', kind='float')
    >>> print("\\n".join(lines))
      %v1 = fmul <4 x float> %x, %x
      %v2 = fadd <4 x float> %v1, splat (float 0x3FF0000000000000)
    """

    def __init__(self, lanes: int, lines: list[str], module: Module, prefix: str = "") -> None:
        self.lanes = lanes
        self.lines = lines
        self.module = module
        self.prefix = prefix
        self._count = 0
        self._numbers: dict[str, float] = {}

    # --- writing --------------------------------------------------------------------------------

    def type(self, kind: str) -> str:
        """Return the LLVM type of a value of this kind."""
        return kind if self.lanes == 1 else f"<{self.lanes} x {kind}>"

    def suffix(self, kind: str) -> str:
        """Return what LLVM appends to the names of intrinsics for this type."""
        short = FLOATS.get(kind, kind)
        return short if self.lanes == 1 else f"v{self.lanes}{short}"

    def emit(self, text: str, kind: str) -> Value:
        """Write one instruction and return its value."""
        self._count += 1
        name = f"%{self.prefix}v{self._count}"
        self.lines.append(f"  {name} = {text}")
        return Value(name, kind)

    def call(self, name: str, kind: str, *ins: Value) -> Value:
        """Call a declared or defined function on whole vectors."""
        given = ", ".join(f"{self.type(x.kind)} {x.name}" for x in ins)
        return self.emit(f"call {self.type(kind)} @{name}({given})", kind)

    def intrinsic(self, name: str, *ins: Value) -> Value:
        """Call an LLVM intrinsic whose values all have the kind of the first."""
        kind = ins[0].kind
        whole = f"llvm.{name}.{self.suffix(kind)}"
        self.module.declare(whole, self.type(kind), *(self.type(x.kind) for x in ins))
        return self.call(whole, kind, *ins)

    def curve(self, rule: Callable[..., Value], *ins: Value) -> Value:
        """Call the function of a curve, and define it in the module when it is the first call."""
        kind = ins[0].kind
        if kind not in FLOATS or any(x.kind != kind for x in ins):
            raise TypeError(f"{rule.__name__} of {', '.join(x.kind for x in ins)}")
        name = f"{rule.__name__}.{self.suffix(kind)}"
        self.module.define(name, lambda: self._function(name, rule, ins, self.module.manner))
        return self.call(name, kind, *ins)

    def unless(self, hard: Value, easy: Value, name: str, *ins: Value) -> Value:
        """Return `easy`; where a lane is hard, the C library's value, from a branch rarely taken.

        Only a curve's own function can say this, as its last word.
        """
        kind, truths = easy.kind, self.type("i1")
        self._count += 1
        leave, stay = (f"{side}{self._count}" for side in ("leave", "stay"))
        found = hard
        if self.lanes > 1:
            whole = f"llvm.vector.reduce.or.{self.suffix('i1')}"
            self.module.declare(whole, "i1", truths)
            found = self.emit(f"call i1 @{whole}({truths} {hard.name})", "i1")
        self.lines.append(f"  br i1 {found.name}, label %{leave}, label %{stay}")
        self.lines.append(f"{leave}:")
        # lane by lane: what one lane gets must not depend on its neighbours
        mixed = self.select(hard, self.each(name, *ins), easy)
        self.lines.append(f"  ret {self.type(kind)} {mixed.name}")
        self.lines.append(f"{stay}:")
        return easy

    def each(self, name: str, *ins: Value) -> Value:
        """Call a function of the C library on each lane, in a function of its own."""
        kind = ins[0].kind
        whole = f"{name}.each.{self.suffix(kind)}"

        def rule(b: Vectors, *ins: Value) -> Value:
            return b._one_by_one(name if kind == "double" else name + "f", *ins)

        self.module.define(whole, lambda: self._function(whole, rule, ins, "noinline"))
        return self.call(whole, kind, *ins)

    def _one_by_one(self, name: str, *ins: Value) -> Value:
        kind = ins[0].kind
        self.module.declare(name, kind, *(x.kind for x in ins))
        if self.lanes == 1:
            return self.call(name, kind, *ins)
        whole = Value("poison", kind)
        for k in range(self.lanes):
            given = (
                self.emit(f"extractelement {self.type(x.kind)} {x.name}, i32 {k}", kind)
                for x in ins
            )
            text = ", ".join(f"{kind} {x.name}" for x in given)
            one = self.emit(f"call {kind} @{name}({text})", kind)
            parts = f"{self.type(kind)} {whole.name}, {kind} {one.name}, i32 {k}"
            whole = self.emit(f"insertelement {parts}", kind)
        return whole

    def _function(
        self, name: str, rule: Callable[..., Value], ins: Sequence[Value], manner: str
    ) -> str:
        """Write the function of a rule on vectors."""
        whole = self.type(ins[0].kind)
        b = Vectors(self.lanes, [], self.module)
        ins = [Value(f"%x{k}", x.kind) for k, x in enumerate(ins)]
        out = rule(b, *ins)
        given = ", ".join(f"{whole} {x.name}" for x in ins)
        head = " ".join(f"define internal {whole} @{name}({given}) {PURE} {manner}".split())
        return "\n".join([f"{head} {{", *b.lines, f"  ret {whole} {out.name}", "}"])

    # --- numbers --------------------------------------------------------------------------------

    def const(self, number: float, like: Value) -> Value:
        """Return a number of the kind of the value beside it."""
        return self.number(number, like.kind)

    def number(self, number: float, kind: str) -> Value:
        """Return a number of this kind."""
        text = _literal(number, kind)
        name = text if self.lanes == 1 else f"splat ({kind} {text})"
        return Value(name, kind)

    def known(self, x: Value) -> float | None:
        """Return the number that a constant stands for; None for anything else."""
        found = x.name.removeprefix(f"splat ({x.kind} ").removesuffix(")")
        if x.kind not in FLOATS or not found.startswith("0x"):
            return None
        return struct.unpack("<d", struct.pack("<Q", int(found, 16)))[0]

    # --- arithmetic -----------------------------------------------------------------------------

    def _two(self, word: str, x: Value, y: Value) -> Value:
        if x.kind != y.kind:
            raise TypeError(f"{word} of {x.kind} and {y.kind}")
        return self.emit(f"{word} {self.type(x.kind)} {x.name}, {y.name}", x.kind)

    def _refuse_integers(self, name: str, x: Value) -> None:
        if x.kind not in FLOATS:
            raise TypeError(f"{name} of {x.kind}")

    def _arithmetic(self, float_word: str, word: str, x: Value, y: Value) -> Value:
        return self._two(float_word if x.kind in FLOATS else word, x, y)

    def add(self, x: Value, y: Value) -> Value:
        """Add; of truth values: or, as NumPy does."""
        return self._arithmetic("fadd", "or" if x.kind in UNSIGNED else "add", x, y)

    def sub(self, x: Value, y: Value) -> Value:
        """Subtract."""
        return self._arithmetic("fsub", "sub", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        """Multiply; of truth values: and, as NumPy does."""
        return self._arithmetic("fmul", "and" if x.kind in UNSIGNED else "mul", x, y)

    def div(self, x: Value, y: Value) -> Value:
        """Divide floats."""
        self._refuse_integers("division", x)
        return self._two("fdiv", x, y)

    def neg(self, x: Value) -> Value:
        """Turn the sign."""
        if x.kind in FLOATS:
            return self.emit(f"fneg {self.type(x.kind)} {x.name}", x.kind)
        return self.sub(self.number(0, x.kind), x)

    def abs(self, x: Value) -> Value:
        """Take the absolute value."""
        if x.kind in FLOATS:
            return self.intrinsic("fabs", x)
        return (
            x if x.kind in UNSIGNED else self.select(self.lt(x, self.const(0, x)), self.neg(x), x)
        )

    def copysign(self, x: Value, y: Value) -> Value:
        """Give x the sign of y."""
        return self.intrinsic("copysign", x, y)

    def fma(self, x: Value, y: Value, z: Value) -> Value:
        """Return x·y + z rounded once, on every machine."""
        return self.intrinsic("fma", x, y, z)

    def muladd(self, x: Value, y: Value, z: Value) -> Value:
        """Return x·y + z, rounded once where the machine can do that in one instruction."""
        return self.intrinsic("fmuladd", x, y, z)

    def sqrt(self, x: Value) -> Value:
        """Take the square root."""
        self._refuse_integers("square root", x)
        return self.intrinsic("sqrt", x)

    def _rounded(self, name: str, x: Value) -> Value:
        return self.intrinsic(name, x) if x.kind in FLOATS else x

    def floor(self, x: Value) -> Value:
        """Round down."""
        return self._rounded("floor", x)

    def ceil(self, x: Value) -> Value:
        """Round up."""
        return self._rounded("ceil", x)

    def rint(self, x: Value) -> Value:
        """Round to the nearest, ties to even."""
        return self._rounded("roundeven", x)

    def trunc(self, x: Value) -> Value:
        """Round towards zero."""
        return self._rounded("trunc", x)

    # --- comparisons and choices ----------------------------------------------------------------

    def _compare(self, float_word: str, word: str, x: Value, y: Value) -> Value:
        if x.kind != y.kind:
            raise TypeError(f"comparison of {x.kind} and {y.kind}")
        if x.kind in FLOATS:
            word = f"fcmp {float_word}"
        else:
            word = f"icmp {word if word == 'eq' else ('u' if x.kind in UNSIGNED else 's') + word}"
        return self.emit(f"{word} {self.type(x.kind)} {x.name}, {y.name}", "i1")

    def lt(self, x: Value, y: Value) -> Value:
        """Tell where x is less; false where one is NaN."""
        return self._compare("olt", "lt", x, y)

    def le(self, x: Value, y: Value) -> Value:
        """Tell where x is less or equal; false where one is NaN."""
        return self._compare("ole", "le", x, y)

    def eq(self, x: Value, y: Value) -> Value:
        """Tell where they are equal; false where one is NaN."""
        return self._compare("oeq", "eq", x, y)

    def both(self, p: Value, q: Value) -> Value:
        """Tell where both hold."""
        return self._two("and", p, q)

    def either(self, p: Value, q: Value) -> Value:
        """Tell where one holds, or both."""
        return self._two("or", p, q)

    def negate(self, p: Value) -> Value:
        """Tell where it does not hold."""
        return self._two("xor", p, self.number(1, p.kind))

    def select(self, p: Value, x: Value, y: Value) -> Value:
        """Take x where p holds and y elsewhere."""
        if x.kind != y.kind:
            raise TypeError(f"choice between {x.kind} and {y.kind}")
        whole = self.type(x.kind)
        return self.emit(
            f"select {self.type('i1')} {p.name}, {whole} {x.name}, {whole} {y.name}", x.kind
        )

    # --- bits and kinds -------------------------------------------------------------------------

    def cast(self, x: Value, kind: str) -> Value:
        """Convert as NumPy does: truth from what is not zero, whole numbers by cutting off."""
        if x.kind == kind:
            return x
        if kind == "i1":
            word, zero = "fcmp une" if x.kind in FLOATS else "icmp ne", self.number(0, x.kind)
            return self.emit(f"{word} {self.type(x.kind)} {x.name}, {zero.name}", "i1")
        if kind == "i8" and x.kind != "i1":
            return self.cast(self.cast(x, "i1"), "i8")
        if x.kind in FLOATS and kind in INTEGERS:
            # out of range the machine decides, once
            found = self._turn("fptosi", x, kind)
            return self.emit(f"freeze {self.type(kind)} {found.name}", kind)
        return self._turn(_cast_word(x.kind, kind), x, kind)

    def _turn(self, word: str, x: Value, kind: str) -> Value:
        return self.emit(f"{word} {self.type(x.kind)} {x.name} to {self.type(kind)}", kind)

    def bits(self, x: Value) -> Value:
        """Read the bits of a float as a whole number."""
        return self._turn("bitcast", x, f"i{WIDTHS[x.kind]}")

    def of_bits(self, x: Value) -> Value:
        """Read the bits of a whole number as a float."""
        return self._turn("bitcast", x, "double" if x.kind == "i64" else "float")

    def whole(self, word: str, x: Value, y: Value | int) -> Value:
        """Do an operation on whole numbers: add, sub, and, or, xor, shl, lshr or ashr."""
        return self._two(word, x, self.number(y, x.kind) if isinstance(y, int) else y)

    # --- curves ---------------------------------------------------------------------------------

    exp, exp2, expm1 = map(_curve, (exponentials.exp, exponentials.exp2, exponentials.expm1))
    sinh, cosh, tanh = map(_curve, (exponentials.sinh, exponentials.cosh, exponentials.tanh))
    log, log1p = map(_curve, (logarithms.log, logarithms.log1p))
    log2, log10 = map(_curve, (logarithms.log2, logarithms.log10))
    asinh, acosh, atanh = map(_curve, (logarithms.asinh, logarithms.acosh, logarithms.atanh))
    sin, cos, tan = map(_curve, (circles.sin, circles.cos, circles.tan))
    asin, acos, atan = map(_curve, (circles.asin, circles.acos, circles.atan))
    atan2 = _curve(circles.atan2)
    cbrt, fmod = map(_curve, (powers.cbrt, powers.fmod))

    def pow(self, x: Value, y: Value) -> Value:
        """Raise x to the power y; a small constant power becomes products."""
        short = powers.short(self, x, self.known(y))
        return self.curve(powers.pow, x, y) if short is None else short


def _cast_word(old: str, new: str) -> str:
    """Name the instruction that turns one kind into another."""
    if old in FLOATS:
        return "fpext" if new == "double" else "fptrunc"
    if new in FLOATS:
        return "uitofp" if old in UNSIGNED else "sitofp"
    if WIDTHS[new] < WIDTHS[old]:
        return "trunc"
    return "zext" if old in UNSIGNED else "sext"
