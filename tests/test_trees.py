"""Nested arguments come apart and go together again, whatever they are made of."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import corrente as co
from corrente.trees import take_apart

Pair = namedtuple("Pair", "a b")


class Typed(NamedTuple):
    a: Any
    b: Any = 1.0

    def product(self) -> Any:
        return self.a * self.b


@dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Slotted:
    a: Any
    b: Any = 2.0


@dataclass(kw_only=True)
class Checked:
    """Converts and checks its fields, as a traced value must not be."""

    a: float
    b: float = 2.0
    made: float = field(init=False, default=3.0)
    size: InitVar[int] = 0
    KIND: ClassVar[str] = "layer"

    def __post_init__(self, size: int) -> None:
        self.a = float(self.a)
        if not 0.0 < self.a < 100.0:
            raise ValueError("out of bounds")


@dataclass(frozen=True)
class Child(Frozen):
    inner: Any = None


# a value, its leaves, and their paths
TREES: list[tuple[Any, list[float], list[str]]] = [
    ((1.0, 2.0), [1.0, 2.0], ["[0]", "[1]"]),
    ([1.0, [2.0, (3.0,)]], [1.0, 2.0, 3.0], ["[0]", "[1][0]", "[1][1][0]"]),
    ({"b": 1.0, "a": 2.0}, [2.0, 1.0], ["['a']", "['b']"]),
    ({2: 1.0, 1: 3.0}, [3.0, 1.0], ["[1]", "[2]"]),
    (OrderedDict(b=1.0, a=2.0), [1.0, 2.0], ["['b']", "['a']"]),
    (defaultdict(list, a=[1.0]), [1.0], ["['a'][0]"]),
    (Pair(1.0, (2.0,)), [1.0, 2.0], [".a", ".b[0]"]),
    (Typed(1.0), [1.0, 1.0], [".a", ".b"]),
    (Frozen(1.0, {"c": 2.0}), [1.0, 2.0], [".a", ".b['c']"]),
    (Slotted(1.0), [1.0, 2.0], [".a", ".b"]),
    (Checked(a=1.0), [1.0, 2.0, 3.0], [".a", ".b", ".made"]),
    (Child(1.0, None, Slotted(2.0, ())), [1.0, 2.0], [".a", ".inner.a"]),
    (None, [], []),
    ((None, 1.0), [1.0], ["[1]"]),
    ([], [], []),
    ({}, [], []),
]


@pytest.mark.parametrize(("value", "leaves", "paths"), TREES, ids=lambda value: repr(value)[:40])
def test_apart_and_together(value: Any, leaves: list[float], paths: list[str]):
    tree = take_apart(value)
    assert (tree.leaves, tree.paths(), tree.is_leaf) == (leaves, paths, False)
    again = tree.build(list(tree.leaves))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize("value", [t[0] for t in TREES], ids=lambda value: repr(value)[:40])
def test_new_leaves_take_the_old_places(value: Any):
    tree = take_apart(value)
    marks = [object() for _ in tree.leaves]
    assert take_apart(tree.build(marks)).leaves == marks


@pytest.mark.parametrize(
    "value", [1.0, 3, True, 1j, np.float32(1.0), np.ones(2), "text", object(), Frozen]
)
def test_what_is_no_container_is_its_own_leaf(value: Any):
    tree = take_apart(value)
    assert tree.is_leaf
    assert tree.leaves[0] is value
    assert tree.paths() == [""]
    assert tree.build(["new"]) == "new"


@pytest.mark.parametrize(
    "value",
    [Counter("aab"), type("Row", (tuple,), {})((1.0,)), type("Rows", (list,), {})([1.0])],
    ids=["Counter", "tuple", "list"],
)
def test_a_subclass_that_nobody_knows_is_a_leaf(value: Any):
    assert take_apart(value).is_leaf
    assert co.grad(lambda x: (x * x, value), has_aux=True)(3.0) == (6.0, value)


def test_a_dataclass_is_not_initialised_again():
    """`__post_init__` would cut the gradient with float(), or refuse a gradient of 1000."""
    found = co.grad(lambda layer: 1000.0 * layer.a * layer.b * layer.made)(Checked(a=2.0))
    assert isinstance(found, Checked)
    assert (found.a, found.b, found.made) == (6000.0, 6000.0, 4000.0)


@pytest.mark.parametrize("layer", [Frozen(3.0, 4.0), Slotted(3.0, 4.0), Typed(3.0, 4.0)])
def test_gradients_have_the_form_of_the_argument(layer: Any):
    assert co.grad(lambda p: p.a * p.b)(layer) == type(layer)(4.0, 3.0)
    if isinstance(layer, Typed):
        assert co.grad(lambda p: p.product())(layer) == Typed(4.0, 3.0)


def test_dicts_keep_their_own_order():
    found = co.grad(lambda p: p["b"] * p["a"])({"b": 2.0, "a": 3.0})
    assert list(found.items()) == [("b", 3.0), ("a", 2.0)]
    second = co.grad(lambda p: next(iter(p.values())) * 10.0 + p["a"])({"b": 2.0, "a": 3.0})
    assert second == {"b": 10.0, "a": 1.0}


def test_one_object_in_two_places_has_two_gradients():
    shared = np.array([2.0, 3.0])
    first, second = co.grad(lambda p: np.sum(p[0] ** 2 * p[1]))([shared, shared])
    np.testing.assert_array_equal(first, 2.0 * shared**2)
    np.testing.assert_array_equal(second, shared**2)
    first[0] = 99.0
    assert second[0] == 4.0


def test_pull_and_move_refuse_another_structure():
    _, pull = co.vjp(lambda x: {"a": x, "b": x * 2.0}, 3.0)
    assert pull({"b": 10.0, "a": 1.0}) == (21.0,)
    with pytest.raises(co.CorrenteError):
        pull({"b": 1.0, "c": 10.0})
    with pytest.raises(co.CorrenteError):
        co.jvp(lambda p: p["a"] * 2.0 + p["b"], ({"a": 1.0, "b": 2.0},), ({"b": 1.0, "c": 0.0},))


def test_optree_is_loaded_only_for_nested_values():
    code = (
        "import sys, numpy, corrente as co; co.grad(lambda x: x * x)(1.0);"
        "assert 'optree' not in sys.modules; co.grad(lambda p: p[0])([1.0]);"
        "assert 'optree' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
