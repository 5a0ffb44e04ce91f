"""C: the same program as one self-contained C99 file, a loop nest for each step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Guard, Step, Wire
from corrente.errors import NotSupported
from corrente.places import locate
from corrente.record import Scatter
from corrente.source.dialects import C_TYPES, C, c_number, c_type
from corrente.source.joining import Joined, settled, unique, wrapped
from corrente.source.loops import Loops
from corrente.source.nests import translate
from corrente.words import Says

SMALL = 4096
_KEYWORDS = """auto break case char const continue default do double else enum extern float for goto
if inline int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while _Bool _Complex _Imaginary main printf NAN INFINITY stdin stdout stderr
errno assert offsetof NULL EOF whole_power show linux unix"""
_MATHEMATICS = """acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1
frexp ilogb ldexp log log10 log1p log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc
lgamma tgamma ceil floor nearbyint rint lrint llrint round lround llround trunc fmod remainder
remquo copysign nan nextafter nexttoward fdim fmax fmin fma j0 j1 jn y0 y1 yn gamma signgam"""
RESERVED = (
    *_KEYWORDS.split(),
    *(name + end for name in _MATHEMATICS.split() for end in ("", "f", "l")),
    *(name for name in C_TYPES.values()),
)

_POWER = """static int64_t whole_power(int64_t base, int64_t exponent)
{
    int64_t result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1) result *= base;
        base *= base;
    }
    return result;
}
"""


class Parameter(NamedTuple):
    """A parameter of the C function: an input, or where an output goes."""

    name: str
    wire: Wire
    out: bool

    @property
    def declaration(self) -> str:
        """Write it as the function's head does."""
        kind = c_type(self.wire.dtype)
        if self.out:
            return f"{kind} *{self.name}"
        return f"const {kind} *{self.name}" if self.wire.shape else f"{kind} {self.name}"


def write(joined: Joined, values: Mapping[int, Any] | Sequence[Any], lang: str = "en") -> str:
    """Write a function and its gradient as a C99 file; `values` are the recorded inputs by wire.

    Arrays are in C order; numbers come by value. With CORRENTE_MAIN defined the file has a main
    function that runs the recorded inputs. Raises NotSupported for a gate that has no C.
    """
    recorded = [values[wire] for wire in joined.ins]
    joined = settled(joined)
    loops = Loops(joined, C, RESERVED)
    name = unique(_identifier(joined.name), loops.taken)
    inputs = [Parameter(loops.name(w), _wire(loops, w), False) for w in joined.ins]
    outputs = _outputs(loops)
    translate(loops)
    for parameter, wire in outputs:
        _deliver(loops, parameter, wire)
    parameters = [*inputs, *(parameter for parameter, _ in outputs)]
    head = ["#include <math.h>", "#include <stdint.h>", "#include <stdio.h>", ""]
    if "whole_power" in loops.used:
        head.append(_POWER)
    head.append(f"void {name}({', '.join(p.declaration for p in parameters)})")
    made = {loops.names[w] for w in loops.circuit.makers if w in loops.names}
    names = [*(p.name for p in inputs), *sorted(made - {p.name for p, _ in outputs})]
    unread = [f"    (void){name};" for name in _unread(names, loops.lines)]
    body = ["{", *_constants(loops), *loops.lines, *unread, "}"]
    about = _header(joined, name, parameters, lang)
    text = [*about, *head, *body, *_main(name, parameters, recorded)]
    return "\n".join(line for part in text for line in wrapped(part)) + "\n"


def _identifier(name: str) -> str:
    stem = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name).strip("_")
    return stem if stem and stem != "lambda" and not stem[0].isdigit() else "f"


def _wire(loops: Loops, wire: int) -> Wire:
    found = loops.circuit.wires[wire]
    if found.dtype.name not in C_TYPES:
        raise NotSupported(
            Says(
                "an input of dtype {0} has no C yet.",
                "uma entrada de dtype {0} ainda não existe em C.",
            ).fill(found.dtype),
            Says("give real numbers.", "dê números reais."),
            False,
        )
    return found


def _unread(names: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return the variables that are only written: the compiler would warn of them."""
    spoken = [line for line in lines if not line.lstrip().startswith("/*")]
    words = Counter(word for line in spoken for word in _WORD.findall(line))
    targets = Counter(name for line in spoken for name in _TARGET.findall(line))
    made = Counter(name for line in spoken for name in _MADE.findall(line))
    return [name for name in names if words[name] <= targets[name] + made[name]]


_WORD = re.compile(r"[A-Za-z_]\w*")
_TARGET = re.compile(r"^ *([A-Za-z_]\w*)\[.*\] [-+*]?= ")
_MADE = re.compile(r"^ *(?:static|const) [\w ]+ ([A-Za-z_]\w*)(?:\[\d+\];| = )")


def _outputs(loops: Loops) -> list[tuple[Parameter, int]]:
    """Return where the values and the gradients go, and from which wire; −1 where there is none.

    An array that a step makes for one output is written where it goes.
    """
    joined = loops.joined
    found: list[tuple[Parameter, int]] = []
    values = joined.values
    for k, wire in enumerate(values):
        stem = "value" if len(values) == 1 else f"value{k + 1}"
        found.append((Parameter(unique(stem, loops.taken), loops.circuit.wires[wire], True), wire))
    for wire, gradient in joined.gradients.items():
        name = unique(f"d{loops.name(wire)}", loops.taken)
        of = -1 if gradient is None else gradient
        found.append((Parameter(name, loops.circuit.wires[wire], True), of))
    writes = {out for step in loops.steps if _writes(step) for out in (step.outs[0], step.ins[0])}
    for parameter, wire in found:
        fresh = wire in loops.circuit.makers and wire not in loops.names and wire not in writes
        if fresh and loops.shape(wire):
            loops.names[wire] = parameter.name
            loops.given.add(wire)
    return found


def _writes(step: Step) -> bool:
    return isinstance(step.gate.kind, Scatter)


def _deliver(loops: Loops, parameter: Parameter, wire: int) -> None:
    """Write an output to where the caller wants it, unless it was made there."""
    if wire >= 0 and loops.names.get(wire) == parameter.name:
        return
    dtype = parameter.wire.dtype
    with loops.loops([prod(parameter.wire.shape)]) as variables:
        text = c_number(0, dtype)
        if wire >= 0:
            text = loops.widened(loops.element(wire, variables[0]), loops.dtype(wire), dtype)
        at = f"{parameter.name}[{variables[0]}]" if parameter.wire.shape else f"*{parameter.name}"
        loops.say(f"{at} = {text};")


def _constants(loops: Loops) -> Iterator[str]:
    """Write the arrays of constants and the tables of places."""
    for wire, name in loops.arrays.items():
        array = np.ascontiguousarray(loops.circuit.held[wire])
        numbers = ", ".join(c_number(n, array.dtype) for n in array.ravel())
        yield f"    static const {c_type(array.dtype)} {name}[{array.size}] = {{{numbers}}};"
    for numbers, name in loops.tables.items():
        yield f"    static const int {name}[{len(numbers)}] = {{{', '.join(map(str, numbers))}}};"


# --- around the function ------------------------------------------------------------------------

_ABOUT = Says(
    "The value of {0} and its gradients. Arrays are in C order; all memory is static, so that "
    "two threads may not call it at once.",
    "O valor de {0} e os seus gradientes. Os arrays estão em ordem C; toda a memória é estática, "
    "e por isso duas threads não podem chamá-la ao mesmo tempo.",
)
_IN = Says("in", "entrada")
_OUT = Says("out", "saída")
_PATH = Says(
    "It holds for inputs that decide as the recorded ones did:",
    "Vale para entradas que decidem como as que foram registradas:",
)


def _header(joined: Joined, name: str, parameters: Sequence[Parameter], lang: str) -> Iterator[str]:
    """Say what the function takes and gives, and on which path it was recorded."""
    yield "/*"
    line = " *"
    for word in _ABOUT.fill(name).into(lang).split(" "):
        if len(line) + len(word) > 96:
            yield line
            line = " *"
        line += f" {word}"
    yield line
    yield " *"
    for parameter in parameters:
        way = (_OUT if parameter.out else _IN).into(lang)
        size = " × ".join(map(str, parameter.wire.shape)) or "1"
        yield f" *   {way:8}{parameter.name:12} {c_type(parameter.wire.dtype)}, {size}"
    guards = [guard for guard in joined.circuit.guards if guard.where is not None]
    if guards:
        yield " *"
        yield f" * {_PATH.into(lang)}"
    for text in dict.fromkeys(_decision(guard) for guard in guards):
        yield f" *   {text}"
    yield " */"


def _decision(guard: Guard) -> str:
    assert guard.where is not None
    place = locate(guard.where)
    return f"{place.text} → {guard.value!r} ({place.function}, {place.line})".replace("*/", "* /")


def _main(
    name: str,
    parameters: Sequence[Parameter],
    given: Sequence[Any],
) -> Iterator[str]:
    """Run the recorded inputs and print the outputs, where the inputs are not too many."""
    if sum(np.size(value) for value in given) > SMALL:
        return
    yield ""
    yield "#ifdef CORRENTE_MAIN"
    yield "static void show(const char *name, const double *x, int size)"
    yield "{"
    yield '    printf("%s =", name);'
    yield '    for (int k = 0; k < size; k++) printf(" %.17g", x[k]);'
    yield '    printf("\\n");'
    yield "}"
    yield ""
    yield "int main(void)"
    yield "{"
    inputs = [p for p in parameters if not p.out]
    for parameter, value in zip(inputs, given, strict=True):
        yield f"    {_recorded(parameter, value)}"
    outputs = [p for p in parameters if p.out]
    for parameter in outputs:
        size = max(prod(parameter.wire.shape), 1)
        yield f"    static {c_type(parameter.wire.dtype)} {parameter.name}[{size}];"
    yield f"    {name}({', '.join(p.name for p in parameters)});"
    for parameter in outputs:
        yield from _shown(parameter)
    yield "    return 0;"
    yield "}"
    yield "#endif"


def _recorded(parameter: Parameter, value: Any) -> str:
    dtype = parameter.wire.dtype
    numbers = [c_number(n, dtype) for n in np.asarray(value, dtype).ravel()] or ["0"]
    if not parameter.wire.shape:
        return f"const {c_type(dtype)} {parameter.name} = {numbers[0]};"
    listed = ", ".join(numbers)
    return f"static const {c_type(dtype)} {parameter.name}[{len(numbers)}] = {{{listed}}};"


def _shown(parameter: Parameter) -> Iterator[str]:
    size = prod(parameter.wire.shape)
    if parameter.wire.dtype == np.dtype(float):
        yield f'    show("{parameter.name}", {parameter.name}, {size});'
        return
    yield "    {"
    yield f"        static double numbers[{max(size, 1)}];"
    yield f"        for (int k = 0; k < {size}; k++) numbers[k] = (double){parameter.name}[k];"
    yield f'        show("{parameter.name}", numbers, {size});'
    yield "    }"
