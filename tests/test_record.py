"""A gate is one whole record: nothing missing, nothing twice, and its rules follow."""

from __future__ import annotations

import copy
import pickle
import string
from dataclasses import MISSING, fields
from typing import Any

import numpy as np
import pytest

from corrente import gates  # noqa: F401  # fills the table
from corrente.gates.arithmetic import add
from corrente.record import (
    COMPOSED,
    NAMES,
    REALS,
    TABLE,
    Call,
    Every,
    Gate,
    Opaque,
    call,
    composed,
    elementwise,
    gate,
    register,
)
from corrente.words import Says

SAYS = Says("takes {0}", "toma {0}")


@pytest.fixture(autouse=True)
def table_as_it_was():
    """Take out again whatever a test enters."""
    kept = [(table, dict(table)) for table in (TABLE, NAMES, COMPOSED)]
    yield
    for table, before in kept:
        table.clear()
        table.update(before)


def given(**changes: Any) -> dict[str, Any]:
    """Return the fields of an elementwise record of a new function."""
    whole: dict[str, Any] = {
        "symbol": "f",
        "emit": lambda b, x: x,
        "does": SAYS,
        "teaches": SAYS,
        "domain": (REALS,),
    }
    return whole | changes


def new(x: Any) -> Any:
    return 2.0 * x


@pytest.mark.parametrize("missing", ["symbol", "emit", "does", "teaches", "domain"])
def test_a_missing_field_is_an_error_at_import(missing: str):
    record = given()
    del record[missing]
    with pytest.raises(TypeError, match=missing):
        elementwise(new, **record)
    assert new not in TABLE


def test_no_field_of_a_gate_has_a_default():
    assert [
        field.name
        for field in fields(Gate)
        if field.default is not MISSING or field.default_factory is not MISSING
    ] == []
    with pytest.raises(TypeError, match="teaches"):
        Gate(name="new", of=new)  # type: ignore[call-arg]


def test_a_missing_translation_is_an_error():
    with pytest.raises(TypeError):
        elementwise(new, **given(does=Says("only English")))  # type: ignore[call-arg]


def test_a_name_is_given_once():
    elementwise(new, **given())
    with pytest.raises(ValueError, match="two gates are called new"):
        elementwise(lambda x: x, **given(name="new"))


def test_a_function_has_one_record():
    elementwise(new, **given())
    with pytest.raises(ValueError, match="two records"):
        elementwise(new, **given(name="other"))
    with pytest.raises(ValueError, match="two records"):
        composed(new)(lambda x: x)
    with pytest.raises(ValueError, match="two records"):
        composed(np.exp)(lambda x: x)


def test_other_functions_may_mean_the_same():
    other = lambda x: 2.0 * x
    record = elementwise(new, other, **given())
    assert TABLE[new] is TABLE[other] is NAMES["new"] is record


def test_one_gradient_for_each_input():
    with pytest.raises(ValueError, match="2 gradients for 1 inputs"):
        elementwise(new, **given(partials=(1.0, 1.0)))


@pytest.mark.parametrize(
    ("partial", "expected"),
    [(1.0, 3.0), (-1.0, -3.0), (2.5, 7.5), (0.0, 0.0), (lambda x, out: x + out, 45.0)],
)
def test_a_pull_is_upstream_times_local(partial: Any, expected: float):
    record = elementwise(new, **given(partials=(partial,)))
    assert record.pulls is not None
    assert record.pulls[0](3.0, 10.0, 5.0) == expected


@pytest.mark.parametrize("arity", [1, 2, 3])
def test_partials_receive_inputs_in_order_and_the_output_last(arity: int):
    seen = []
    partial = lambda *ins: (seen.append(ins), 1.0)[1]
    record = elementwise(new, **given(partials=(partial,) * arity, domain=(REALS,) * arity))
    assert record.pulls is not None
    for pull in record.pulls:
        pull(1.0, "out", *range(arity))
    assert seen == [(*range(arity), "out")] * arity


def test_no_gradient_by_nature():
    record = elementwise(new, **given())
    assert record.partials is record.pulls is record.joint is None
    assert not record.differentiable
    assert add.differentiable


def test_one_rule_for_any_number_of_inputs():
    every = Every(lambda position, g, out, *ins, scale: g * ins[position] * scale)
    assert [every[k](2.0, None, 5.0, 7.0, scale=10.0) for k in (0, 1)] == [100.0, 140.0]


def test_a_joint_rule_is_a_gradient():
    record = gate(
        new,
        kind=Opaque(),
        takes=None,
        shape=None,
        pulls=None,
        joint=lambda g, out, ins, params, wanted: [g],
        symbol="f",
        does=SAYS,
        teaches=SAYS,
        example=None,
    )
    assert record.differentiable


def test_gates_travel_by_name():
    assert pickle.loads(pickle.dumps(add)) is add
    assert copy.deepcopy(add) is add
    assert repr(add) == "<gate add>"


def test_gates_are_frozen():
    with pytest.raises(AttributeError):
        add.symbol = "plus"  # type: ignore[misc]


def test_register_returns_the_gate_it_enters():
    record = elementwise(new, **given())
    TABLE.pop(new)
    NAMES.pop("new")
    assert register(record) is record


def test_a_call_holds_wires_and_parameters():
    assert call(1.0, 2.0, axis=0) == Call((1.0, 2.0), {"axis": 0})


@pytest.mark.parametrize("record", list(NAMES.values()), ids=lambda record: record.name)
def test_placeholders_name_inputs_that_exist_in_both_languages(record: Gate):
    for sentence in (record.does, record.teaches):
        places = [
            sorted({name for _, name, _, _ in string.Formatter().parse(text) if name is not None})
            for text in sentence
        ]
        assert places[0] == places[1]
        arity = len(record.domain) if record.example is None else 9
        assert all(place.isdigit() and int(place) < arity for place in places[0])


@pytest.mark.parametrize("record", list(NAMES.values()), ids=lambda record: record.name)
def test_a_gate_has_one_way_back_at_most(record: Gate):
    assert record.joint is None or record.pulls is None
    if record.partials is not None:
        assert len(record.partials) == len(record.domain)
    assert record.facts <= {"commutative", "linear", "identity", "stops", "promotes"}
