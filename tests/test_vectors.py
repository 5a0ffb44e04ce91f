"""Nested values as vectors: there and back again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from corrente.errors import BadArgument
from corrente.vectors import flatten


@dataclass
class Model:
    weights: Any
    bias: Any


def test_structure_shapes_and_types_come_back():
    value = Model([np.ones((2, 3), np.float32), np.float64(2.0)], {"b": 3.0, "n": 4})
    flat = flatten(value)
    assert flat.vector.tolist() == [1.0] * 6 + [2.0, 3.0, 4.0]
    back = flat.build(2.0 * flat.vector)
    assert isinstance(back, Model)
    assert back.weights[0].dtype == np.float32
    assert back.weights[0].tolist() == [[2.0] * 3] * 2
    assert type(back.weights[1]) is np.float64
    assert (type(back.bias["b"]), type(back.bias["n"])) == (float, float)
    assert back.bias == {"b": 6.0, "n": 8.0}


def test_the_parts_are_memory_of_their_own():
    flat = flatten(np.zeros(3))
    vector = np.ones(3)
    built = flat.build(vector)
    vector[:] = 5.0
    assert built.tolist() == [1, 1, 1]


def test_nothing_is_an_empty_vector():
    assert flatten({}).vector.shape == (0,)


@pytest.mark.parametrize("value", [{"a": "text"}, [1j], np.array([None])])
def test_what_is_no_real_number_is_refused(value: Any):
    with pytest.raises(BadArgument, match="of type"):
        flatten(value)
