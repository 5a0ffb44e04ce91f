"""The accuracy page: how far each curve of the native path is from the truth, as measured.

The curves are compiled and run on millions of numbers, and compared with the C library in twice
the precision (float32), or in extended precision (float64). `python docs/accuracy_page.py` takes
a few minutes to write the page; the tests hold it to a sample.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from corrente.native.vectors import Module, Value, Vectors

DTYPES = {"float": np.dtype(np.float32), "double": np.dtype(np.float64)}
NUMPYS = {
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "cbrt": np.cbrt,
    "pow": np.power,
    "fmod": np.fmod,
}
PAIRS = ("atan2", "pow", "fmod")
COUNT = 40_000
ROUNDS = 25
GROUPS = 9
PAGE = Path(__file__).parent / "accuracy.md"


# --- running a rule -----------------------------------------------------------------------------


class Compiled(NamedTuple):
    """A rule as machine code: call it with arrays of one size."""

    address: Any
    engine: Any
    lanes: int
    ins: np.dtype[Any]
    out: np.dtype[Any]

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        size = arrays[0].size
        padded = -(-size // self.lanes) * self.lanes
        given = [np.resize(np.asarray(x, self.ins), padded) for x in arrays]
        out = np.empty(padded, self.out)
        self.address(*(x.ctypes.data for x in (*given, out)), padded)
        return out[:size]


def compiled(rule: Callable[..., Value], kind: str, lanes: int, arity: int) -> Compiled:
    """Compile a loop that applies a rule `(builder, *values) -> value` to each element.

    An answer of yes or no comes out as a byte.
    """
    module, lines = Module(), list[str]()
    b = Vectors(lanes, lines, module)
    for k in range(arity):
        lines.append(f"  %p{k} = getelementptr {kind}, ptr %in{k}, i64 %i")
        lines.append(f"  %x{k} = load {b.type(kind)}, ptr %p{k}, align {DTYPES[kind].itemsize}")
    out = rule(b, *(Value(f"%x{k}", kind) for k in range(arity)))
    out = b.cast(out, "i8") if out.kind == "i1" else out
    lines.append(f"  %q = getelementptr {out.kind}, ptr %out, i64 %i")
    lines.append(f"  store {b.type(out.kind)} {out.name}, ptr %q, align 1")
    given = ", ".join(f"ptr %in{k}" for k in range(arity))
    text = f"""{module.text()}
define void @run({given}, ptr %out, i64 %n) {{
start:
  br label %loop
loop:
  %i = phi i64 [0, %start], [%next, %loop]
{chr(10).join(lines)}
  %next = add nuw nsw i64 %i, {lanes}
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}"""
    engine = engine_of(text)
    kinds = [*[ctypes.c_void_p] * (arity + 1), ctypes.c_int64]
    address = ctypes.CFUNCTYPE(None, *kinds)(engine.get_function_address("run"))
    made = DTYPES.get(out.kind, np.dtype(np.bool_))
    return Compiled(address, engine, lanes, DTYPES[kind], made)


def engine_of(text: str) -> Any:
    """Compile LLVM text for this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    module.verify()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    machine = target.create_target_machine(llvm.get_host_cpu_name(), features, opt=2, jit=True)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine


@cache
def curve(name: str, kind: str, lanes: int = 8) -> Compiled:
    """Compile one method of the builder."""
    arity = 2 if name in PAIRS else 1
    return compiled(lambda b, *ins: getattr(b, name)(*ins), kind, lanes, arity)


# --- measuring ----------------------------------------------------------------------------------


def points(kind: str, rng: np.random.Generator, count: int = COUNT) -> np.ndarray:
    """Choose numbers: of every size, and densely where curves are hard to compute."""
    bits = np.uint64 if kind == "double" else np.uint32
    whole = rng.integers(0, np.iinfo(bits).max, count, dtype=bits).view(DTYPES[kind])
    sign = rng.choice([-1.0, 1.0], count)
    quarters = rng.integers(-9000, 9000, count) * (np.pi / 2)
    edges = ((-746, 711),) if kind == "double" else ((-105, 90),)
    chosen = [
        sign * np.exp2(rng.uniform(-30, 10, count)),
        sign + sign * np.exp2(rng.uniform(-50, 0, count)) * rng.choice([-1.0, 1.0], count),
        rng.uniform(-1.05, 1.05, count),
        rng.uniform(-12, 12, count),
        rng.uniform(-800, 800, count),
        quarters + np.spacing(quarters) * rng.integers(-3, 4, count),
        *(edge + rng.uniform(-2, 2, count) for pair in edges for edge in pair),
    ]
    return np.concatenate([whole, *(part.astype(DTYPES[kind]) for part in chosen)])


def operands(name: str, kind: str, seed: int, count: int = COUNT) -> list[np.ndarray]:
    """Choose what a curve is given; for powers so that most of them are numbers."""
    rng = np.random.default_rng(seed)
    x = points(kind, rng, count)
    if name not in PAIRS:
        return [x]
    y = rng.permutation(x)
    if name == "pow":
        half, reach = x.size // 2, 1075 if kind == "double" else 150
        with np.errstate(all="ignore"):
            sizes = np.log2(np.abs(x[:half]).astype(np.float64))
            wanted = (rng.uniform(-reach, reach, half) / sizes).astype(x.dtype)
        y[:half] = np.where(np.isfinite(wanted), wanted, 2.0)
        y[: half // 2] = np.rint(y[: half // 2])
    return [x, y]


def off(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return the errors in units in the last place; infinity where the kind of value differs."""
    with np.errstate(all="ignore"):
        return _off(found, exact)


def _off(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    info = np.finfo(found.dtype)
    there = np.isfinite(exact) & (exact != 0)
    exponent = np.frexp(np.where(there, np.abs(exact), 1.0))[1] - 1
    unit = np.ldexp(exact.dtype.type(1), np.maximum(exponent, info.minexp) - info.nmant)
    error = np.abs(found.astype(exact.dtype) - exact) / unit
    rounded = exact.astype(found.dtype)
    same = (found == rounded) & (np.isinf(found) | np.isinf(exact) | (exact == 0))
    same &= np.signbit(found) == np.signbit(rounded)
    error = np.where(same | (np.isnan(found) & np.isnan(exact)), 0.0, error)
    signed = (found == 0) & (np.signbit(found) != np.signbit(exact))
    return np.where(np.isnan(error) | signed, np.inf, error)


def worst(name: str, kind: str, seed: int, count: int = COUNT) -> float:
    """Measure the largest error of a curve."""
    ins = operands(name, kind, seed, count)
    wide = np.float64 if kind == "float" else np.longdouble
    with np.errstate(all="ignore"):
        exact = NUMPYS[name](*(x.astype(wide) for x in ins))
        return float(off(curve(name, kind)(*ins), exact).max())


# --- the page -----------------------------------------------------------------------------------

INTRODUCTION = """# Accuracy

<!-- Made by docs/accuracy_page.py from measurements: change the curves, not this page. -->

What `co.jit` compiles does not call the C library for its curves: they are polynomials, written
once in `corrente/native/` and put in place in each loop, on as many numbers at once as the machine
takes. This page says how far from the truth each one was found, in units in the last place (ulp):
½ is a result that was rounded as well as possible, 1 is a neighbour of it at most. The largest
error over {millions:g} million numbers is rounded up: of every size, subnormal ones among them, and
densely around the places where a curve is hard to compute. Measured on a machine that multiplies
and adds in one instruction, as those of the last ten years do, against the C library in twice the
precision (float32) or in extended precision (float64).

Infinities, NaN, the sign of zero and overflow are exact: they are what C99 asks for. A number has
the same result in any place of an array and in an array of any size. `fmod`, and
`sin`, `cos` and `tan` beyond ±2¹⁴ in float32 or ±2³⁰ in float64, are left to the C library.

*O que o `co.jit` compila não chama a biblioteca C para as suas curvas: são polinômios, escritos
uma só vez em `corrente/native/`. Esta página diz a que distância da verdade cada curva foi
encontrada, em unidades da última casa (ulp): o maior erro sobre {millions:g} milhões de números,
arredondado para cima. Infinitos, NaN, o sinal do zero e o transbordamento são exatos. Um número
dá o mesmo resultado em qualquer lugar de um array de qualquer tamanho. `fmod`, e `sin`, `cos` e
`tan` além de ±2¹⁴ em float32 ou ±2³⁰ em float64, ficam com a biblioteca C.*

| curve<br>*curva* | float32 | float64 |
|---|---|---|
"""


def page() -> str:
    """Measure every curve and print the page."""
    if np.finfo(np.longdouble).nmant < 63 or not fuses():
        raise RuntimeError("the page is measured with 64 digits, and where a·b + c is one step")
    rows = []
    for name in NUMPYS:
        errors = [max(worst(name, kind, k) for k in range(ROUNDS)) for kind in DTYPES]
        rows.append(f"| `{name}` | " + " | ".join(map(rounded_up, errors)) + " |")
    return INTRODUCTION.format(millions=GROUPS * COUNT * ROUNDS / 1e6) + "\n".join(rows) + "\n"


def rounded_up(error: float) -> str:
    """Write an error with one digit after the point."""
    return f"{math.ceil(error * 10 - 1e-9) / 10:.1f}"


def fuses() -> bool:
    """Tell whether this machine multiplies and adds in one instruction."""
    one = np.array([1.0 + 2.0**-30])
    square = compiled(lambda b, x: b.muladd(x, x, b.neg(b.mul(x, x))), "double", 4, 1)
    return bool(square(one)[0] != 0.0)


def bounds(text: str) -> dict[tuple[str, str], float]:
    """Read the numbers of a page: by curve and kind."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            name, *errors = (cell.strip(" `") for cell in line.strip("|").split("|"))
            found |= {
                (name, kind): float(error) for kind, error in zip(DTYPES, errors, strict=True)
            }
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
