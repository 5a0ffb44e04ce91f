"""One step: gradient and update as one program, whatever the parameters are nested in."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import pytest

import corrente as co
from corrente import optimisers
from corrente.errors import BadArgument, BadValue
from corrente.training.stepping import named, prepare, takes_generator

X = np.random.default_rng(0).normal(size=(20, 3))


class Pair(NamedTuple):
    w: Any
    b: Any


def loss(params: Any, x: Any) -> Any:
    return np.mean((x @ params[0].w + params[0].b - 1.0) ** 2)


def nested(dtype: Any = np.float64) -> Any:
    return [Pair(np.ones(3, dtype), 0)], None


def scalars(params: Any, x: Any) -> Any:
    return np.mean((x[:, 0] * params[0] + params[1] - params[2]) ** 2)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_step_is_gradient_and_update(optimiser: str, compiled: bool):
    flat = lambda params, x: loss(params[0], x)
    pair = named(optimiser)
    stepper = prepare(flat, pair, nested(), compiled)
    outcome = stepper.advance(stepper.start, 0.1, (X,), None)
    params = [Pair(np.ones(3), 0.0)], None
    value, slopes = co.value_and_grad(flat)(params, X)
    moves, _ = pair.update(slopes, pair.init(params), params)
    found = stepper.params(outcome.leaves)
    np.testing.assert_allclose(found[0][0].w, 1.0 + 0.1 * moves[0][0].w, rtol=1e-12)
    assert found[0][0].b == pytest.approx(0.1 * moves[0][0].b, rel=1e-12)
    assert outcome.loss == pytest.approx(value)
    assert outcome.gradient_norm == pytest.approx(optimisers.norm(slopes))
    ratio = 0.1 * optimisers.norm(moves) / optimisers.norm(params)
    assert outcome.update_ratio == pytest.approx(ratio)
    assert stepper.measure(outcome.leaves, (X,), None) < value


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("optimiser", ["momentum", "adamw"])
def test_numbers_keep_their_kind_step_after_step(optimiser: str, compiled: bool):
    params = (1.0, np.array(0.5), np.float32(0.25))
    stepper = prepare(scalars, named(optimiser), params, compiled)
    leaves = stepper.start
    for _ in range(3):
        leaves = stepper.advance(leaves, 0.1, (X,), None).leaves
    assert [type(leaf) for leaf in leaves] == [type(leaf) for leaf in stepper.start]
    assert stepper.params(leaves)[2].dtype == np.float32
    assert stepper.params(leaves) != params


def test_a_compiled_step_is_called_without_a_look_around():
    stepper = prepare(scalars, named("adam"), (1.0, 2.0, 3.0))
    leaves = stepper.advance(stepper.start, 0.1, (X,), None).leaves
    seen = []

    def note(frame: Any, event: str, arg: Any) -> None:
        seen.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        stepper.advance(leaves, 0.1, (X,), None)
    finally:
        sys.setprofile(None)
    assert "_key" not in seen


def test_programs_of_plain_functions_are_made_once():
    one, other = (prepare(scalars, named("adam"), (1.0, 2.0, 3.0)) for _ in range(2))
    first, second = (s.advance(s.start, 0.1, (X,), None) for s in (one, other))
    assert first.loss == second.loss
    keeps = lambda s: s.advance.__closure__
    step = lambda s: next(c.cell_contents for c in keeps(s) if callable(c.cell_contents))
    assert step(one) is step(other)
    offset = 1.0
    closed = lambda p, x: scalars(p, x) + offset
    one, other = (prepare(closed, named("adam"), (1.0, 2.0, 3.0)) for _ in range(2))
    assert step(one) is not step(other)


def test_what_is_measured_may_differ_from_the_loss():
    stepper = prepare(scalars, named("sgd"), (1.0, 2.0, 3.0), measured=lambda p, x: p[0] + p[2])
    assert stepper.measure(stepper.start, (X,), None) == 4.0


def test_a_generator_is_passed_by_name():
    assert takes_generator(lambda params, x, rng: 0.0)
    assert not takes_generator(lambda params, x: 0.0)
    noisy = lambda p, x, rng: scalars(p, x + rng.normal(size=x.shape))
    stepper = prepare(noisy, named("adam"), (1.0, 2.0, 3.0))
    draw = lambda seed: np.random.default_rng(seed)
    one, other, third = (stepper.advance(stepper.start, 0.1, (X,), draw(k)) for k in (0, 0, 1))
    assert one.loss == other.loss != third.loss
    assert one.leaves == other.leaves
    assert stepper.measure(stepper.start, (X,), draw(0)) == one.loss


def test_optimisers_go_by_name_by_function_and_as_they_are():
    own = optimisers.sgd(0.3)
    assert named(own) is own
    assert named("adam") is named("adam")
    assert named(optimisers.adam) is named("adam")
    for wrong in ("sdg", 3, lambda rate: rate):
        with pytest.raises(BadArgument, match="no optimiser"):
            named(wrong)


def test_no_parameters_are_refused():
    with pytest.raises(BadValue, match="no parameters"):
        prepare(loss, named("sgd"), ())
