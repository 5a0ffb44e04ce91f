"""Python: readable NumPy, the forward pass in the user's names and the backward pass by hand.

The result is a file that runs alone. Each line of the backward pass stands below the forward
line that it belongs to; what is used once is written where it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from corrente.circuit import dtype_code, is_literal, literal
from corrente.places import locate
from corrente.source.joining import Joined, wrapped
from corrente.source.phrases import array
from corrente.source.spellings import needed
from corrente.source.statements import Line, Writer
from corrente.words import Says

SMALL = 200


def write(joined: Joined, values: Mapping[int, Any] | Sequence[Any], lang: str = "en") -> str:
    """Write a function and its gradient as a Python file that needs NumPy (or SciPy) alone.

    `values` are the recorded inputs by wire; where they are small the file runs on them.
    """
    writer = Writer(joined)
    writer.name_inputs()
    writer.find_buffers()
    forward = writer.lines(0, writer.turn)
    writer.share_lines()
    writer.find_sums()
    backward = writer.lines(writer.turn, len(writer.steps))
    parts = [*_forward(writer, forward, _kept(writer, backward), lang)]
    if joined.upstream is not None:
        parts += ["", "", *_backward(writer, forward, backward, lang)]
    parts += _main(writer, values)
    body = "\n".join(line for part in parts for line in wrapped(part))
    head = ["import numpy as np"]
    if "special." in body:
        head.append("from scipy import special")
    definitions = "".join(f"{text}\n\n\n" for text in needed(body))
    return "\n".join(head) + f"\n\n\n{definitions}{body}\n"


# --- forward ------------------------------------------------------------------------------------

_FORWARD = Says(
    "Return the value of {0} and what its backward pass needs.",
    "Devolve o valor de {0} e o que o seu passo para trás precisa.",
)
_VALUE = Says("Return the value of {0}.", "Devolve o valor de {0}.")
_PASS = Says(
    "{0} is an array of shape {1} and dtype {2} from outside.",
    "{0} é um array de fora, de forma {1} e dtype {2}.",
)
_LINE = Says("line {0}", "linha {0}")
_PATH = Says(
    "Holds for inputs that decide as the recorded ones did:",
    "Vale para entradas que decidem como as que foram registradas:",
)


def _forward(writer: Writer, lines: list[Line], kept: list[str], lang: str) -> Iterator[str]:
    given = [writer.names[wire] for wire in writer.joined.ins]
    large = writer.large
    if large:
        given += ["*", *(writer.names[wire] for wire in large)]
    yield f"def forward({', '.join(given)}):"
    told = _FORWARD if writer.joined.upstream is not None else _VALUE
    yield from _docstring(writer, told.fill(writer.joined.name).into(lang), large, lang)
    yield from (f"    {line.text}" for line in lines)
    outs = [_read(writer, wire) for wire in writer.joined.values]
    value = outs[0] if len(outs) == 1 else f"({', '.join(outs)})"
    if writer.joined.upstream is None:
        yield f"    return {value}"
        return
    yield f"    cache = {_tuple(kept)}"
    yield f"    return {value}, cache"


def _docstring(writer: Writer, first: str, large: list[int], lang: str) -> Iterator[str]:
    more = []
    for wire in large:
        shape, dtype = writer.circuit.wires[wire][:2]
        more.append(_PASS.fill(writer.names[wire], shape, dtype).into(lang))
    guards = list(dict.fromkeys(_decisions(writer, lang)))
    if guards:
        more += [_PATH.into(lang), *(f"    {guard}" for guard in guards)]
    if not more:
        yield f'    """{first}"""'
        return
    yield f'    """{first}'
    yield ""
    yield from (f"    {line}" for line in more)
    yield '    """'


def _decisions(writer: Writer, lang: str) -> Iterator[str]:
    """Say what the user's code decided on the way: the circuit holds along this path only."""
    for guard in writer.circuit.guards:
        if guard.where is not None:
            place = locate(guard.where)
            what = place.text.replace("\\", "\\\\").replace('"""', "'''")
            at = _LINE.fill(place.line).into(lang)
            yield f"{what} → {guard.value!r} ({place.function}, {at})"


def _read(writer: Writer, wire: int) -> str:
    """Write an output."""
    value = writer.circuit.held.get(wire)
    if value is not None and is_literal(value):
        return literal(value)
    if value is not None and wire not in writer.names:
        return str(array(value))
    return writer.name(wire)


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _kept(writer: Writer, backward: list[Line]) -> list[str]:
    """Return the forward names that the backward pass reads, in the order they were made."""
    read = {
        node.id
        for line in backward
        for node in ast.walk(ast.parse(line.text))
        if isinstance(node, ast.Name)
    }
    seconds = {out for step in writer.steps[writer.turn :] for out in step.outs}
    first = [w for w in writer.names if w not in seconds and w != writer.joined.upstream]
    return [name for name in dict.fromkeys(writer.names[w] for w in first) if name in read]


# --- backward -----------------------------------------------------------------------------------

_BACKWARD = Says(
    "Return the gradients of {0}: {1}; {2} is the gradient of its value.",
    "Devolve os gradientes de {0}: {1}; {2} é o gradiente do seu valor.",
)
_BACKWARD_ONE = Says(
    "Return the gradient of {0}: {1}; {2} is the gradient of its value.",
    "Devolve o gradiente de {0}: {1}; {2} é o gradiente do seu valor.",
)
_UNREACHED = Says("the value does not depend on {0}", "o valor não depende de {0}")


def _backward(
    writer: Writer, forward: list[Line], backward: list[Line], lang: str
) -> Iterator[str]:
    joined = writer.joined
    assert joined.upstream is not None
    upstream = writer.names[joined.upstream]
    kept = _kept(writer, backward)
    lines = _with_copies(writer, backward)
    outs = [f"d{writer.names[wire]}" for wire in joined.gradients]
    start = _seed(writer)
    yield f"def backward(cache, {upstream}={start}):"
    told = _BACKWARD if len(outs) > 1 else _BACKWARD_ONE
    text = told.fill(joined.name, ", ".join(outs), upstream).into(lang)
    yield from (f"    {line}" for line in _filled(f'"""{text}"""'))
    if kept:
        left = f"{', '.join(kept)}{',' * (len(kept) == 1)}"
        yield f"    {left} = cache" if _fits(kept) else f"    ({left}) = cache"
    yield from _commented(lines, forward)
    for wire, gradient in joined.gradients.items():
        if gradient is None:
            yield f"    # {_UNREACHED.fill(writer.names[wire]).into(lang)}"
            yield f"    d{writer.names[wire]} = {_zero(writer, wire)}"
    yield f"    return {', '.join(outs)}" if _fits(outs) else f"    return ({', '.join(outs)})"


def _fits(names: Iterable[str]) -> bool:
    return len(", ".join(names)) < 80


def _filled(text: str) -> list[str]:
    """Break a sentence into lines."""
    found = [""]
    for word in text.split(" "):
        if len(found[-1]) + len(word) > 92:
            found.append("")
        found[-1] += f"{' ' if found[-1] else ''}{word}"
    return found


def _seed(writer: Writer) -> str:
    """Write the gradient to start with: 1, in the type of the value."""
    wire = writer.circuit.wires[writer.joined.values[0]]
    usual = wire.weak or wire.dtype == np.dtype(float)
    return "1.0" if usual else f"{dtype_code(wire.dtype)}(1.0)"


def _zero(writer: Writer, wire: int) -> str:
    shape, dtype = writer.circuit.wires[wire][:2]
    if not shape:
        return "0.0" if writer.circuit.wires[wire].weak else f"{dtype_code(dtype)}(0.0)"
    usual = dtype == np.dtype(float)
    return f"np.zeros({shape}{'' if usual else f', {dtype_code(dtype)}'})"


def _with_copies(writer: Writer, backward: Sequence[Line]) -> list[Line]:
    """Give each parameter's gradient its name, where it is also another wire's: `dx = dq`."""
    lines = list(backward)
    for wire, gradient in writer.joined.gradients.items():
        name = f"d{writer.names[wire]}"
        if gradient is None or writer.name(gradient) == name:
            continue
        source = writer.name(gradient)
        k = writer.joined.senders.get(wire, 0)
        group = writer.groups.get(k, k)
        made = _behind(lines, lambda line, of=source: _assigns(line, of))
        beside = _behind(lines, lambda line, of=group: line.group >= of)
        lines.insert(max(made, beside), Line(f"{name} = {source}", group))
    return lines


def _behind(lines: Sequence[Line], holds: Callable[[Line], bool]) -> int:
    """Return the place behind the last line for which something holds."""
    return max((k + 1 for k, line in enumerate(lines) if holds(line)), default=0)


def _assigns(line: Line, name: str) -> bool:
    """Tell whether a line makes a variable or writes into it."""
    first = line.text.removeprefix("np.add.at(")
    return first.startswith((f"{name} ", f"{name}[", f"{name},"))


def _commented(lines: Iterable[Line], forward: list[Line]) -> Iterator[str]:
    """Write above the lines of the backward pass the forward line that they belong to."""
    said = {line.group: line.text for line in forward}
    group: int | None = None
    for line in lines:
        if line.group != group:
            group = line.group
            if group in said:
                yield f"    # {said[group]}"
        yield f"    {line.text}"


# --- running it ---------------------------------------------------------------------------------


def _main(writer: Writer, values: Mapping[int, Any] | Sequence[Any]) -> list[str]:
    """Run the recorded inputs, where they are small."""
    given = {wire: values[wire] for wire in writer.joined.ins}
    if writer.large or sum(np.size(value) for value in given.values()) > SMALL:
        return []
    texts = {writer.names[wire]: _recorded(value) for wire, value in given.items()}
    if any(text is None for text in texts.values()):
        return []
    lines = ["", "", 'if __name__ == "__main__":']
    lines += [line for name, text in texts.items() for line in f"    {name} = {text}".splitlines()]
    call = f"forward({', '.join(texts)})"
    if writer.joined.upstream is None:
        return [*lines, f"    print({call})"]
    names = [f"d{writer.names[wire]}" for wire in writer.joined.gradients]
    lines += [f"    value, cache = {call}", '    print("value =", value)']
    if len(names) == 1:
        return [*lines, f'    print("{names[0]} =", backward(cache))']
    listed = ", ".join(f'"{name}"' for name in names)
    return [
        *lines,
        f"    for name, gradient in zip(({listed}), backward(cache)):",
        '        print(name, "=", gradient)',
    ]


def _recorded(value: Any) -> str | None:
    """Write a recorded input; None where it has no spelling."""
    if is_literal(value):
        return literal(value)
    if value.dtype.kind not in "biufc" or not np.isfinite(value).all():
        return None
    usual = value.dtype in (np.dtype(float), np.dtype(int), np.dtype(bool))
    dtype = "" if usual else f", {dtype_code(value.dtype)}"
    if not value.size:
        return f"np.zeros({value.shape}{dtype})"
    text = np.array2string(value, 90, separator=", ", floatmode="unique", threshold=value.size + 1)
    lines = text.splitlines()
    rows = "".join(f"\n        {line}" for line in lines if line)
    return f"np.array({text}{dtype})" if len(lines) == 1 else f"np.array({rows}{dtype}\n    )"
