"""The JSON of a run: every program's keeps to docs/schema.json, and gives its numbers back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import nn

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "schema.json").read_text("utf-8"))

# --- a validator of as much of JSON Schema as the schema uses ------------------------------------

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda x: isinstance(x, dict),
    "array": lambda x: isinstance(x, list),
    "string": lambda x: isinstance(x, str),
    "number": lambda x: isinstance(x, int | float) and not isinstance(x, bool),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "boolean": lambda x: isinstance(x, bool),
    "null": lambda x: x is None,
}
SILENT = {"$schema", "$id", "$defs", "title", "description", "properties", "additionalProperties"}


def faults(x: Any, schema: Any, at: str = "$") -> Iterator[str]:
    """Say where a document breaks a schema; a keyword that is not known here is an error."""
    for word, wanted in schema.items():
        if word not in SILENT:
            yield from (f"{at}: {fault}" for fault in RULES[word](x, wanted))
    if isinstance(x, dict):
        known = schema.get("properties", {})
        for key, value in x.items():
            if key in known:
                yield from faults(value, known[key], f"{at}.{key}")
            elif schema.get("additionalProperties") is False:
                yield f"{at}: {key} is not known"


def _type(x: Any, wanted: Any) -> Iterator[str]:
    names = wanted if isinstance(wanted, list) else [wanted]
    if not any(TYPES[name](x) for name in names):
        yield f"{x!r} is not {' or '.join(names)}"


def _any_of(x: Any, wanted: Any) -> Iterator[str]:
    if all(any(True for _ in faults(x, each)) for each in wanted):
        yield f"{x!r} is none of the kinds"


def _items(x: Any, wanted: Any) -> Iterator[str]:
    for k, item in enumerate(x if isinstance(x, list) else ()):
        yield from faults(item, wanted, f"[{k}]")


def _reference(x: Any, wanted: str) -> Iterator[str]:
    assert wanted.startswith("#/$defs/")
    yield from faults(x, SCHEMA["$defs"][wanted.removeprefix("#/$defs/")], "")


def rule(holds: Callable[[Any, Any], bool], says: str) -> Callable[[Any, Any], Iterator[str]]:
    return lambda x, wanted: iter(() if holds(x, wanted) else (f"{x!r} {says} {wanted}",))


def _same(x: Any, y: Any) -> bool:
    return type(x) is type(y) and x == y


RULES: Mapping[str, Callable[[Any, Any], Iterator[str]]] = {
    "type": _type,
    "anyOf": _any_of,
    "items": _items,
    "$ref": _reference,
    "const": rule(_same, "is not"),
    "enum": rule(lambda x, each: any(_same(x, y) for y in each), "is not in"),
    "required": rule(lambda x, keys: not isinstance(x, dict) or {*keys} <= {*x}, "lacks one of"),
    "minimum": rule(lambda x, y: not TYPES["number"](x) or x >= y, "is less than"),
    "minItems": rule(lambda x, y: not isinstance(x, list) or len(x) >= y, "is shorter than"),
    "minLength": rule(lambda x, y: not isinstance(x, str) or len(x) >= y, "is shorter than"),
}

# --- programs ------------------------------------------------------------------------------------


def layer(W, b, X):
    h = np.maximum(X @ W + b, 0.0)
    return np.mean(h**2)


def cells(x):
    buffer = np.zeros(3, like=x)
    for k in range(3):
        buffer[k] = x[k] * buffer[k - 1] + 1.0
    return np.sum(buffer)


def volume(A):
    sign, logarithm = np.linalg.slogdet(A.T @ A)
    return sign * logarithm


def steep(x):
    if np.max(x) > 0:
        x = 1.0 / x
    return np.sum(np.where(np.isfinite(x), x, 0.0)) + np.sum(x)


def spiral(z):
    return np.abs(np.sum(z * np.conj(z) + z * z))


A = np.array([[2.0, 1.0], [-1.0, 3.0], [0.5, 0.0]])
PROGRAMS: Mapping[str, Callable[[], co.Program]] = {
    "scalars": lambda: co.trace(lambda x, y, z: (x + y) * z)(-2.0, 5.0, -4.0),
    "data and parameters": lambda: co.trace(layer, argnums=(0, 1))(A.T, np.ones(3), A),
    "float32": lambda: co.trace(nn.softmax)(np.float32([0.1, 0.2])),
    "writes": lambda: co.trace(cells)(np.array([1.0, 2.0, 3.0])),
    "several outputs": lambda: co.trace(volume)(A),
    "no gradient": lambda: co.trace(lambda x: (x, 2.0 * x))(A),
    "not finite": lambda: co.trace(steep)(np.array([0.0, -0.0, np.nan, np.inf])),
    "complex": lambda: co.trace(spiral)(np.array([1.0 + 2.0j, -0.5j])),
    "complex, not finite": lambda: co.trace(spiral)(np.array([1.0 + 2.0j, np.inf, np.nan])),
    "empty": lambda: co.trace(np.sum)(np.zeros((0, 3))),
    "indices and masks": lambda: co.trace(lambda x: np.sum(x[x > 1.0][[0, 0]]))(A),
}
programs = pytest.mark.parametrize("name", PROGRAMS)


def document(name: str) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        program = PROGRAMS[name]()
    return json.loads(json.dumps(program.json(), allow_nan=False))


def decoded(numbers: Any, wire: Mapping[str, Any]) -> np.ndarray:
    """Read a wire's numbers as the documentation says."""
    dtype = np.dtype(wire["dtype"])
    if dtype.kind == "c":
        real, imaginary = (np.array(part, dtype=float) for part in numbers)
        found = np.empty(real.shape, dtype)
        found.real, found.imag = real, imaginary
        return found.reshape(wire["shape"])
    return np.array(numbers, dtype=dtype).reshape(wire["shape"])


@programs
def test_it_keeps_to_the_schema(name):
    assert not list(faults(document(name), SCHEMA))


@programs
def test_it_gives_the_numbers_back(name):
    data = document(name)
    with np.errstate(all="ignore"):
        program = PROGRAMS[name]()
    for wire in data["wires"]:
        value = program.run.values[wire["id"]]
        np.testing.assert_array_equal(decoded(wire["value"], wire), value)
        gradient = program.run.gradients.get(wire["id"])
        assert (wire["gradient"] is None) == (gradient is None)
        if gradient is not None:
            np.testing.assert_array_equal(decoded(wire["gradient"], wire), gradient)


@programs
def test_wires_and_steps_fit_together(name):
    data = document(name)
    assert [wire["id"] for wire in data["wires"]] == list(range(len(data["wires"])))
    assert {*data["parameters"]} <= {*data["inputs"]}
    made = [out for step in data["steps"] for out in step["outputs"]]
    assert len(made) == len({*made})
    seen = {wire["id"] for wire in data["wires"]} - {*made}
    for step in data["steps"]:
        assert seen.issuperset(step["inputs"])
        seen.update(step["outputs"])
    assert seen.issuperset(data["outputs"])


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (["version"], 2),
        (["version"], True),
        (["name"], None),
        (["inputs", 0], -1),
        (["inputs", 0], 0.5),
        (["more"], 1),
        (["wires", 0, "shape"], 3),
        (["wires", 0, "value"], None),
        (["wires", 0, "value"], "infinity"),
        (["wires", 0, "gradient"], {"value": 1}),
        (["wires", 0, "dtype"], ""),
        (["wires", 0, "more"], 1),
        (["steps", 0, "outputs"], []),
        (["steps", 0, "gate"], 7),
        (["steps", 0, "line"], 0),
    ],
)
def test_what_is_wrong_is_found(path, wrong):
    data = document("scalars")
    *way, last = path
    place: Any = data
    for key in way:
        place = place[key]
    place[last] = wrong
    assert list(faults(data, SCHEMA))


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_what_is_missing_is_found(key):
    data = document("scalars")
    del data[key]
    assert list(faults(data, SCHEMA))


def test_every_key_is_documented():
    told = (Path(__file__).parent.parent / "docs" / "json.md").read_text("utf-8")
    definitions = (SCHEMA, SCHEMA["$defs"]["wire"], SCHEMA["$defs"]["step"])
    assert not [key for each in definitions for key in each["properties"] if f"`{key}`" not in told]
