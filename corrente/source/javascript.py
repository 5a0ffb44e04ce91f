"""JavaScript: the same program as one function for the browser, a loop nest for each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from corrente.source.dialects import JAVASCRIPT, script_array, script_number
from corrente.source.joining import Joined, settled, unique, wrapped
from corrente.source.loops import Loops
from corrente.source.nests import translate
from corrente.words import Says

SMALL = 256
_KEYWORDS = """arguments await break case catch class const continue debugger default delete do else
enum eval export extends false finally for function if implements import in instanceof interface let
new null package private protected public return static super switch this throw true try typeof var
void while with yield undefined NaN Infinity Math Number Object Array console module require
Float64Array Float32Array Uint8Array Int8Array Int16Array Int32Array Uint16Array Uint32Array"""
_DEFINITIONS = {
    "modulo": "const modulo = (x, y) => x % y;",
    "exp2": "const exp2 = (x) => Math.pow(2, x);",
    "power": """const power = (x, y) =>
    x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;""",
    "rint": """const rint = (x) => {
    const below = Math.floor(x);
    const rest = x - below;
    if (rest !== 0.5) return rest === 0 ? x : rest < 0.5 ? (below === 0 ? 0 : below) : Math.ceil(x);
    return below % 2 === 0 ? below : Math.ceil(x);
};""",
    "whole_power": "const whole_power = (base, exponent) => Math.pow(base, exponent);",
}
RESERVED = (*_KEYWORDS.split(), *_DEFINITIONS)

_ABOUT = Says(
    "The value of {0} and its gradients. Arrays are flat, in C order.",
    "O valor de {0} e os seus gradientes. Os arrays são planos, em ordem C.",
)


def write(joined: Joined, values: Mapping[int, Any] | Sequence[Any], lang: str = "en") -> str:
    """Write a function and its gradient as JavaScript; `values` are the recorded inputs by wire.

    The function takes numbers and flat arrays and returns an object: `value`, and a gradient for
    each parameter, `dx` for `x`. Run by Node it prints those of the recorded inputs. Raises
    NotSupported for a gate that has no JavaScript.
    """
    recorded = [values[wire] for wire in joined.ins]
    joined = settled(joined)
    loops = Loops(joined, JAVASCRIPT, RESERVED)
    stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in joined.name).strip("_")
    name = unique("f" if stem in ("", "lambda") or stem[0].isdigit() else stem, loops.taken)
    given = [loops.name(wire) for wire in joined.ins]
    translate(loops)
    outputs = _outputs(loops)
    lines = [
        f"// {_ABOUT.fill(name).into(lang)}",
        *(_DEFINITIONS[called] for called in _DEFINITIONS if called in loops.used),
        f"function {name}({', '.join(given)}) {{",
        *_constants(loops),
        *loops.lines,
        f"    return {{ {', '.join(f'{key}: {text}' for key, text in outputs)} }};",
        "}",
        *_main(loops, name, recorded),
    ]
    return "\n".join(part for line in lines for part in wrapped(line)) + "\n"


def _outputs(loops: Loops) -> list[tuple[str, str]]:
    """Return the names of what the function gives, and their expressions."""
    joined = loops.joined
    found = []
    for k, wire in enumerate(joined.values):
        key = "value" if len(joined.values) == 1 else f"value{k + 1}"
        found.append((key, _whole(loops, wire)))
    for wire, gradient in joined.gradients.items():
        shape = loops.shape(wire)
        zero = f"new {script_array(loops.dtype(wire))}({int(np.prod(shape))})" if shape else "0"
        text = zero if gradient is None else _whole(loops, gradient)
        found.append((f"d{loops.name(wire)}", text))
    return found


def _whole(loops: Loops, wire: int) -> str:
    """Write a whole array or number."""
    number = loops.uniform(wire)
    if number is None:
        loops.element(wire, "0")  # so that a constant array is written out
        return loops.name(wire)
    text = script_number(number, loops.dtype(wire))
    size = int(np.prod(loops.shape(wire)))
    array = script_array(loops.dtype(wire))
    return f"new {array}({size}).fill({text})" if loops.shape(wire) else text


def _constants(loops: Loops) -> Iterator[str]:
    for wire, name in loops.arrays.items():
        array = np.asarray(loops.circuit.held[wire])
        numbers = ", ".join(script_number(n, array.dtype) for n in array.ravel())
        yield f"    const {name} = {script_array(array.dtype)}.of({numbers});"
    for numbers, name in loops.tables.items():
        yield f"    const {name} = [{', '.join(map(str, numbers))}];"


def _main(loops: Loops, name: str, recorded: Sequence[Any]) -> Iterator[str]:
    """Print the outputs of the recorded inputs under Node, where the inputs are not too many."""
    given = list(zip(loops.joined.ins, recorded, strict=True))
    if sum(np.size(value) for _, value in given) > SMALL:
        return
    texts = []
    for wire, value in given:
        array = np.asarray(value, loops.dtype(wire))
        numbers = ", ".join(script_number(n, array.dtype) for n in array.ravel())
        texts.append(f"[{numbers}]" if array.shape else numbers)
    yield ""
    yield 'if (typeof require !== "undefined" && require.main === module) {'
    yield f"    console.log({name}({', '.join(texts)}));"
    yield "}"
