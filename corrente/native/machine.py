"""Machine: the compiled loop that runs the program of a huge scalar circuit.

A program is a row of 32-bit words over numbered slots, each one float64. Most of its words are
single operations of four words each: the code and up to three slots; the result goes to the next
slot. Every code has a handler, a small native function that jumps straight to the handler of the
next operation. A run does one code many times: its operands are arrays of slots, its results lie
side by side, and a kernel of vector instructions does it. Kernels are compiled when first asked
for, the handlers together at the start.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from corrente.native.code import Code
from corrente.native.vectors import Module, Value, Vectors
from corrente.record import Builder

SUMS = ("add", "sub", "mul", "neg")
"""Codes that one multiply-add can do, so that a row of them jumps to the same handler."""

CURVES = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan"),
    *("asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    *("cbrt", "fmod", "pow", "atan2"),
)
"""Codes that a single operation leaves to the C library."""

_WORDS = {
    name: method.__code__.co_argcount - 1
    for name, method in vars(Builder).items()
    if not name.startswith("_") and name != "const"
}
_ARITIES = {name: _WORDS[name] for name in SUMS} | _WORDS | {"copy": 1, "cube": 1}

OPCODES: dict[str, int] = {name: code for code, name in enumerate(_ARITIES)}
"""The vocabulary of `record.Builder`, and two words of our own; the sums come first."""

ARITY = np.array(list(_ARITIES.values()), np.int32)
"""How many operands each code has."""

_COUNT = len(OPCODES)
FUSED, RUN, STOP, CALL = _COUNT, _COUNT + 1, _COUNT + 2, _COUNT + 3
"""Codes that only programs have: a multiply-add, a run, the end; from CALL on, one for each
number of operands, a function of the C library."""

LIBRARY, KERNEL = CALL + 3, CALL + 3 + _COUNT
"""Where the table holds the C library's function of each code, and its kernel."""

LANES = 8
"""How many operations of a run a kernel does at once: runs are padded to a multiple."""

OWN = (1.0, -1.0, -0.0)
"""Numbers that programs read beside the circuit's: what a sum needs to be a multiply-add."""

_STATE = "(ptr %pc, ptr %out, ptr %slots, ptr %table)"
_WORD, _SLOT = 4, 8


class Operations(NamedTuple):
    """Operations as arrays of 32-bit numbers: codes, and the values they read (unused: 0).

    Operation k makes value `first + k`; values before `first` are inputs and constants.
    """

    code: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray


# --- the text -----------------------------------------------------------------------------------


def applied(b: Vectors, name: str, ins: list[Value]) -> Value:
    """Write one operation on doubles, in which truth is 1 and falsehood 0.

    >>> lines: list[str] = []
    >>> applied(Vectors(1, lines, Module()), "add", [Value("%x", "double"), Value("%y", "double")])
    Value(name='%v1', kind='double')
    >>> lines
    ['  %v1 = fadd double %x, %y']
    """
    if name == "copy":
        return ins[0]
    if name == "cube":
        return b.mul(b.mul(ins[0], ins[0]), ins[0])
    if name in ("both", "either", "negate", "select"):
        truths = 1 if name == "select" else len(ins)
        ins = [b.cast(x, "i1") for x in ins[:truths]] + ins[truths:]
    return b.cast(getattr(b, name)(*ins), "double")


def _handler(name: str, module: Module, write: Callable[[Code], str]) -> str:
    """Write the handler of a single operation; `write` answers with the result's name."""
    code = Code(module)
    code.add(f"store double {write(code)}, ptr %out")
    _onward(code, code.at("%pc", 4 * _WORD), code.at("%out", _SLOT))
    return code.text(f"define internal void @{name}{_STATE}")


def _onward(code: Code, pc: str, out: str) -> None:
    """Jump to the handler of the operation at `pc`."""
    handler = _entry(code, code.let(f"load i32, ptr {pc}"))
    code.add(f"musttail call void {handler}(ptr {pc}, ptr {out}, ptr %slots, ptr %table)")
    code.add("ret void")


def _entry(code: Code, number: str) -> str:
    """Load the address that the table holds under a number."""
    place = code.let(f"getelementptr inbounds ptr, ptr %table, i32 {number}", "p")
    return code.let(f"load ptr, ptr {place}", "f")


def _field(code: Code, position: int) -> str:
    """Load a word of the operation; the code itself is number 0."""
    return code.let(f"load i32, ptr {code.at('%pc', position * _WORD)}", "w")


def _operand(code: Code, position: int) -> Value:
    """Load the value of an operand, counted from 0."""
    place = f"getelementptr inbounds double, ptr %slots, i32 {_field(code, position + 1)}"
    return Value(code.let(f"load double, ptr {code.let(place, 'p')}", "x"), "double")


def _plain(name: str, module: Module) -> str:
    """Write the handler of an operation that a few instructions do."""

    def write(code: Code) -> str:
        ins = [_operand(code, k) for k in range(_ARITIES[name])]
        return applied(Vectors(1, code.lines, module), name, ins).name

    return _handler(f"single.{name}", module, write)


def _fused(module: Module) -> str:
    def write(code: Code) -> str:
        x, y, z = (_operand(code, k) for k in range(3))
        return Vectors(1, code.lines, module).fma(x, y, z).name

    return _handler("fused", module, write)


def _call(arity: int, module: Module) -> str:
    """Write the handler that calls the C library; its function stands in the last word."""

    def write(code: Code) -> str:
        given = ", ".join(f"double {_operand(code, k).name}" for k in range(arity))
        return code.let(f"call double {_entry(code, _field(code, 3))}({given})", "r")

    return _handler(f"call.{arity}", module, write)


def _run_handler(module: Module) -> str:
    """Write the handler of a run: its length, its first result, its kernel, then the operands."""
    code = Code(module)
    length, first, kernel = (_field(code, k) for k in (1, 2, 3))
    count = code.let(f"zext i32 {length} to i64")
    to = code.let(f"getelementptr inbounds double, ptr %slots, i32 {first}", "p")
    given = f"ptr {code.at('%pc', 4 * _WORD)}, ptr {to}, ptr %slots, i64 {count}"
    end = code.let(f"call ptr {_entry(code, kernel)}({given})", "p")
    _onward(code, end, code.let(f"getelementptr inbounds double, ptr {to}, i64 {count}", "p"))
    return code.text(f"define internal void @run.kernel{_STATE}")


_ENTRANCE = f"""
define internal void @stop{_STATE} {{
  ret void
}}
define void @run(ptr %program, ptr %slots) {{
  %table = load ptr, ptr %program
  %start = getelementptr i8, ptr %program, i64 8
  %first = load i32, ptr %start
  %out = getelementptr double, ptr %slots, i32 %first
  %pc = getelementptr i8, ptr %program, i64 16
  %code = load i32, ptr %pc
  %place = getelementptr ptr, ptr %table, i32 %code
  %handler = load ptr, ptr %place
  call void %handler(ptr %pc, ptr %out, ptr %slots, ptr %table)
  ret void
}}"""
"""The start: a program's first four words are the table's address and its first result's slot."""


def _height(module: Module) -> str:
    """Write the loop that finds how deep each operation lies: one more than its operands."""
    code = Code(module)
    module.declare("llvm.umax.i32", "i32", "i32", "i32")
    with code.loop(0, "%count") as k:
        highest = None
        for operand in "abc":
            place = code.let(f"getelementptr inbounds i32, ptr %{operand}, i64 {k}", "p")
            value = code.let(f"load i32, ptr {place}")
            place = code.let(f"getelementptr inbounds i32, ptr %level, i32 {value}", "p")
            level = code.let(f"load i32, ptr {place}")
            both = f"call i32 @llvm.umax.i32(i32 {highest}, i32 {level})"
            highest = level if highest is None else code.let(both)
        place = code.let(f"getelementptr inbounds i32, ptr %level, i64 {k}", "p")
        place = code.let(f"getelementptr inbounds i32, ptr {place}, i64 %first", "p")
        code.add(f"store i32 {code.let(f'add i32 {highest}, 1')}, ptr {place}")
    code.add("ret void")
    given = "ptr %a, ptr %b, ptr %c, i64 %first, i64 %count, ptr %level"
    return code.text(f"define void @height({given})")


def _handlers() -> str:
    """Write the module of all handlers, with the table's first part."""
    module = Module()
    plain = [name for name in OPCODES if name not in CURVES]
    texts = [_plain(name, module) for name in plain]
    texts += [_fused(module), _run_handler(module), _call(1, module), _call(2, module)]
    texts += [_ENTRANCE, _height(module)]
    for name in CURVES:
        module.declare(name, "double", *["double"] * _ARITIES[name])
    table = [f"@call.{_ARITIES[n]}" if n in CURVES else f"@single.{n}" for n in OPCODES]
    table += ["@fused", "@run.kernel", "@stop", "null", "@call.1", "@call.2"]
    table += [f"@{name}" if name in CURVES else "null" for name in OPCODES]
    entries = ", ".join(f"ptr {entry}" for entry in table)
    return "\n".join([module.text(), *texts, f"@table = constant [{len(table)} x ptr] [{entries}]"])


def _kernel(name: str, module: Module) -> str:
    """Write the kernel of a code; it answers with where its operands end."""
    arity = _ARITIES[name]
    code = Code(module)
    b = Vectors(LANES, code.lines, module)
    arrays = ["%index"]
    for _ in range(arity):
        arrays.append(code.let(f"getelementptr i32, ptr {arrays[-1]}, i64 %count", "p"))
    with code.loop(0, "%count", LANES) as k:
        result = applied(b, name, [_gathered(code, array, k) for array in arrays[:arity]])
        place = code.let(f"getelementptr inbounds double, ptr %out, i64 {k}", "p")
        code.add(f"store {b.type('double')} {result.name}, ptr {place}, align 8")
    code.add(f"ret ptr {arrays[arity]}")
    given = "ptr %index, ptr noalias %out, ptr %slots, i64 %count"
    return code.text(f"define ptr @kernel.{name}({given})")


def _gathered(code: Code, array: str, k: str) -> Value:
    """Load the values of one operand, whose slots stand side by side in an array."""
    place = code.let(f"getelementptr inbounds i32, ptr {array}, i64 {k}", "p")
    numbers = code.let(f"load <{LANES} x i32>, ptr {place}, align 4")
    from_ = code.let(f"getelementptr inbounds double, ptr %slots, <{LANES} x i32> {numbers}", "p")
    doubles, bits = f"<{LANES} x double>", f"<{LANES} x i1>"
    name = f"llvm.masked.gather.v{LANES}f64.v{LANES}p0"
    code.module.declare(name, doubles, f"<{LANES} x ptr>", "i32", bits, doubles)
    given = f"<{LANES} x ptr> {from_}, i32 8, {bits} splat (i1 true), {doubles} poison"
    return Value(code.let(f"call {doubles} @{name}({given})", "x"), "double")


# --- compiling ----------------------------------------------------------------------------------


class Loaded(NamedTuple):
    """The handlers in memory."""

    engine: Any
    """Keeps the code alive."""
    table: np.ndarray
    """Addresses: of handlers, of the C library's functions, of kernels; 0 where not compiled."""
    address: int
    run: Callable[[int, int], None]
    """Runs a program; both take addresses, of a program and of the memory for its slots."""
    height: Callable[..., None]
    """Finds the level of every operation."""


_LOCK = threading.RLock()
_KERNELS: list[Any] = []
"""The engines of kernels, which keep their code alive."""


def _llvm() -> Any:
    import llvmlite.binding as llvm  # noqa: PLC0415  # heavy; only compiled circuits need it

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _compiled(text: str, polish: bool) -> Any:
    """Compile a module; `polish` runs LLVM's passes first."""
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=2 if polish else 1, jit=True
    )
    module.triple, module.data_layout = target.triple, str(target.target_data)
    if polish:
        tuning = llvm.create_pipeline_tuning_options(speed_level=2)
        tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
        passes = llvm.create_pass_builder(target, tuning)
        passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def load() -> Loaded:
    """Return the handlers, compiled once per process."""
    with _LOCK:
        return _load()


@cache
def _load() -> Loaded:
    engine = _compiled(_handlers(), polish=False)
    table = np.zeros(KERNEL + _COUNT, np.uint64)
    given = engine.get_global_value_address("table")
    table[:KERNEL] = np.ctypeslib.as_array((ctypes.c_uint64 * KERNEL).from_address(given))
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    height = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, whole, whole, pointer)
    run = ctypes.CFUNCTYPE(None, pointer, pointer)
    address, other = map(engine.get_function_address, ("run", "height"))
    return Loaded(engine, table, address, run(address), height(other))


def add_kernels(codes: Iterable[int]) -> None:
    """Compile the kernels of these codes, unless they are there."""
    with _LOCK:
        table = load().table
        names = [name for name in OPCODES if OPCODES[name] in set(codes)]
        names = [name for name in names if not table[KERNEL + OPCODES[name]]]
        if not names:
            return
        module = Module()
        texts = [_kernel(name, module) for name in names]
        engine = _compiled("\n".join([module.text(), *texts]), polish=True)
        _KERNELS.append(engine)
        for name in names:
            table[KERNEL + OPCODES[name]] = engine.get_function_address(f"kernel.{name}")


def machine() -> int:
    """Return the address of the native `void run(const program *, double *slots)`.

    The slots are those that `levels.schedule` counts; inputs, constants and OWN must be in theirs.
    """
    return load().address


@cache
def fuses() -> bool:
    """Tell whether the processor has a multiply-add; without it, it would be a slow call."""
    llvm = _llvm()
    return llvm.get_host_cpu_features().get("fma", False) or "aarch64" in llvm.get_process_triple()
