"""Training: it learns, it repeats itself, it stops and starts again at the same bits."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import optimisers
from corrente.errors import BadArgument, BadValue, Impure
from corrente.memory import TooLittleMemory
from corrente.training import trainer
from corrente.training.batches import Source
from corrente.training.checkpoints import CheckpointError, load
from corrente.training.history import Record
from corrente.training.trainer import DivergedWarning, Training, train

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3))
Y = X @ np.array([1.0, -2.0, 0.5]) + 0.3


def loss(params: Any, x: Any, y: Any) -> Any:
    return np.mean((x @ params["w"] + params["b"] - y) ** 2)


def start(dtype: Any = np.float64) -> dict[str, Any]:
    return {"w": np.zeros(3, dtype), "b": 0.0}


def bits(training: Training) -> bytes:
    found = training.params
    return np.asarray(found["w"]).tobytes() + np.float64(found["b"]).tobytes()


def go(**changed: Any) -> Training:
    given: dict[str, Any] = {"rate": 0.05, "epochs": 4, "batch_size": 32, "seed": 1}
    return train(loss, start(), (X, Y), **(given | changed))


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam", optimisers.rmsprop])
def test_it_learns_by_itself(optimiser: Any):
    trained = train(loss, start(), (X, Y), optimiser=optimiser, epochs=60)
    np.testing.assert_allclose(trained.params["w"], [1.0, -2.0, 0.5], atol=0.02)
    assert trained.params["b"] == pytest.approx(0.3, abs=0.02)
    assert trained.stopped == "done"
    assert len(trained.history) == 60


def test_the_first_parameters_are_left_alone_and_their_kinds_kept():
    params = start(np.float32)
    trained = train(loss, params, (X.astype(np.float32), Y.astype(np.float32)), epochs=2)
    assert params["w"].tolist() == [0, 0, 0]
    assert trained.params["w"].dtype == np.float32
    assert type(trained.params["b"]) is float


def test_compiled_and_plain_training_agree():
    one, other = go(), go(compiled=False)
    np.testing.assert_allclose(one.params["w"], other.params["w"], rtol=1e-9)
    assert one.history[-1].loss == pytest.approx(other.history[-1].loss, rel=1e-9)


def test_it_is_gradient_descent():
    trained = train(
        loss, start(), (X, Y), optimiser="sgd", rate=0.1, epochs=3, batch_size=len(X), seed=0
    )
    params = start()
    for _ in range(3):
        slopes = co.grad(loss)(params, X, Y)
        params = {name: params[name] - 0.1 * slopes[name] for name in params}
    np.testing.assert_allclose(trained.params["w"], params["w"], rtol=1e-10)
    assert trained.params["b"] == pytest.approx(params["b"], rel=1e-10)


def test_the_seed_decides_all():
    assert bits(go()) == bits(go())
    assert bits(go(seed=2)) != bits(go())


def test_every_epoch_is_shuffled_anew():
    drawn = []

    def read(size: int, order: Any) -> Any:
        drawn.append(order.random())
        yield X, Y

    train(loss, start(), Source(len(X), read), rate=0.1, epochs=3)
    assert len(set(drawn)) == 3


def test_the_records_say_what_happened():
    trained = go(epochs=3, validation=0.2)
    assert [record.epoch for record in trained.history] == [1, 2, 3]
    assert [record.steps for record in trained.history] == [4, 8, 12]
    first = trained.history[0]
    one = go(epochs=1, batch_size=200, optimiser="sgd").history[0]
    assert one.loss == pytest.approx(loss(start(), X, Y))
    slopes = co.grad(loss)(start(), X, Y)
    norm = math.hypot(*slopes["w"], slopes["b"])
    assert one.gradient_norm == pytest.approx(norm)
    assert one.update_ratio == pytest.approx(0.05 * norm / 1e-12)
    assert first.validation is not None
    assert first.seconds > 0
    assert first.rate == 0.05


def test_validation_is_the_loss_on_data_never_trained_on():
    held = (X[:20], Y[:20])
    trained = train(loss, start(), (X[20:], Y[20:]), epochs=3, rate=0.05, validation=held)
    assert trained.history[-1].validation == pytest.approx(loss(trained.params, *held))


def test_patience_ends_training_and_gives_the_best_parameters_back():
    # held-back data that say the opposite: the start is best, and every epoch is worse
    trained = go(validation=(X, -Y), patience=2, epochs=50)
    assert trained.stopped == "patience"
    assert len(trained.history) == 3
    assert trained.best_epoch == 1
    assert trained.best_loss == trained.history[0].validation
    assert loss(trained.params, X, -Y) == pytest.approx(trained.best_loss)


def test_another_measure_may_be_taken_on_validation_data():
    wrong = lambda params, x, y: np.mean(np.abs(x @ params["w"] + params["b"] - y))
    trained = go(validation=(X, Y), measure=wrong)
    assert trained.history[-1].validation == pytest.approx(wrong(trained.params, X, Y))


def test_a_loss_that_draws_is_given_a_generator():
    drawn = []

    def noisy(params: Any, x: Any, y: Any, rng: Any) -> Any:
        drawn.append(rng.random())
        return loss(params, co.nn.dropout(x, 0.1, rng), y)

    one = train(noisy, start(), (X, Y), rate=0.02, epochs=3, compiled=False)
    assert len(set(drawn)) == 9
    other = train(noisy, start(), (X, Y), rate=0.02, epochs=3, compiled=False)
    assert bits(one) == bits(other)
    assert drawn[:9] == drawn[9:]


def test_a_compiled_loss_that_draws_is_given_the_same_generator():
    def noisy(params: Any, x: Any, y: Any, rng: Any) -> Any:
        return loss(params, co.nn.dropout(x, 0.1, rng), y) + 0.01 * rng.random()

    one, other = (train(noisy, start(), (X, Y), rate=0.02, epochs=3) for _ in range(2))
    assert bits(one) == bits(other)
    plain = train(noisy, start(), (X, Y), rate=0.02, epochs=3, compiled=False)
    measured = ([record.loss for record in found.history] for found in (one, plain))
    np.testing.assert_allclose(*measured, rtol=1e-9)
    np.testing.assert_allclose(one.params["w"], plain.params["w"], rtol=1e-9)


def test_a_loss_that_draws_behind_our_back_is_refused():
    hidden = lambda params, x, y: loss(params, x + np.random.normal(size=x.shape), y)
    with pytest.raises(Impure, match="draws random numbers"):
        train(hidden, start(), (X, Y), rate=0.1, epochs=1)


def test_iterables_and_nested_data_are_trained_on():
    batches = [(X[:80], Y[:80]), (X[80:], Y[80:])]
    for data in (batches, lambda: iter(batches)):
        trained = train(loss, start(), data, epochs=150, rate=0.05)
        np.testing.assert_allclose(trained.params["w"], [1.0, -2.0, 0.5], atol=0.05)
    by_name = lambda p, batch: loss(p, batch["x"], batch["y"])
    trained = train(by_name, start(), {"x": X, "y": Y}, epochs=60)
    np.testing.assert_allclose(trained.params["w"], [1.0, -2.0, 0.5], atol=0.05)


def test_an_iterable_that_runs_dry_is_told():
    once = iter([(X, Y)])
    with pytest.raises(BadValue, match="no batches"):
        train(loss, start(), lambda: once, epochs=2, rate=0.1)


def test_the_callback_sees_each_epoch_and_may_end_it():
    seen = []

    def watch(record: Record, params: Any) -> bool:
        seen.append((record.epoch, params["b"]))
        return record.epoch == 2

    trained = go(callback=watch)
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert seen[-1][1] == trained.params["b"]
    assert trained.stopped == "callback"


# --- rates that are too high --------------------------------------------------------------------


def test_a_fixed_rate_that_diverges_warns_and_keeps_the_best():
    with pytest.warns(DivergedWarning, match="smaller rate"):
        trained = train(loss, start(), (X, Y), optimiser="sgd", rate=50.0, epochs=200)
    assert trained.stopped == "diverged"
    assert np.isfinite(trained.params["w"]).all()


def test_a_loss_that_is_no_number_ends_the_epoch_there_and_then():
    read = []

    def batches() -> Any:
        for k in range(10):
            read.append(k)
            yield (X * np.nan if k == 2 else X), Y

    with pytest.warns(DivergedWarning):
        trained = train(loss, start(), batches, rate=0.01, epochs=1)
    assert read == [0, 1, 2]
    assert np.isfinite(trained.params["w"]).all()


def test_an_automatic_rate_that_explodes_is_cut(monkeypatch: Any):
    monkeypatch.setattr(trainer, "suggest", lambda *given: 50.0)
    trained = train(loss, start(), (X, Y), optimiser="sgd", epochs=80)
    assert trained.rate < 1.0
    assert trained.stopped == "done"
    assert loss(trained.params, X, Y) < 0.01


def test_an_automatic_rate_rises_where_there_is_time_and_falls_in_the_end(monkeypatch: Any):
    monkeypatch.setattr(trainer, "suggest", lambda *given: 0.1)
    brief, long = (
        [r.rate for r in train(loss, start(), (X, Y), batch_size=50, epochs=epochs).history]
        for epochs in (100, 200)
    )
    assert brief[0] == brief[70] == 0.1
    assert long[0] < long[2] < long[8] == long[140] == 0.1
    for rates in (brief, long):
        assert rates[-1] == pytest.approx(0.001)
        assert rates[-30:] == sorted(rates[-30:], reverse=True)


def test_a_loss_that_was_thrown_off_and_came_back_costs_no_retreat(monkeypatch: Any):
    monkeypatch.setattr(trainer, "suggest", lambda *given: 0.05)
    read = []

    def batches() -> Any:
        read.append(len(read))
        for k in range(6):
            # in the third epoch one batch is far off
            yield X, Y + (8.0 if len(read) == 3 and k == 2 else 0.0)

    trained = train(loss, start(), batches, optimiser="sgd", epochs=6)
    thrown = trained.history[2]
    assert thrown.loss > 3 * trained.history[1].loss
    assert len(read) == 6
    assert trained.rate == 0.05


def test_an_epoch_ends_where_an_automatic_rate_has_left_its_course(monkeypatch: Any):
    monkeypatch.setattr(trainer, "suggest", lambda *given: 1e3)
    read = []

    def batches() -> Any:
        for k in range(50):
            read.append(k)
            yield X, Y

    trained = train(loss, start(), batches, optimiser="sgd", epochs=2)
    assert trained.stopped == "done"
    assert trained.rate < 10.0
    # two epochs were run to their end, those before were left after a few steps
    assert 100 < len(read) < 150


def test_data_with_nan_are_told():
    broken = X.copy()
    broken[3, 1] = np.nan
    with pytest.raises(BadValue, match="not finite at any learning rate"):
        train(loss, start(), (broken, Y), epochs=2)


# --- stopping and starting again ------------------------------------------------------------------


def test_ctrl_c_keeps_what_was_learned_and_can_be_taken_up(tmp_path: Path):
    whole = go(epochs=6)
    calls = []

    def interrupted() -> Any:
        for k in range(0, len(X), 32):
            calls.append(k)
            if len(calls) == 8:
                raise KeyboardInterrupt
            yield X[k : k + 32], Y[k : k + 32]

    given: dict[str, Any] = {"rate": 0.05, "epochs": 6, "checkpoint": tmp_path / "run"}
    trained = train(loss, start(), interrupted, **given)
    assert trained.stopped == "interrupted"
    assert len(trained.history) == 1
    assert trained.params["b"] != 0.0
    facts = load(tmp_path / "run").facts
    assert (facts["steps"], facts["epoch"], facts["batch"], facts["ended"]) == (7, 1, 2, "")
    resumed = train(loss, start(), interrupted, **given)
    left_alone = train(loss, start(), interrupted, rate=0.05, epochs=6)
    assert resumed.stopped == "done"
    assert bits(resumed) == bits(left_alone)
    assert len(whole.history) == len(resumed.history) == 6


def test_more_epochs_go_on_where_the_file_ends(tmp_path: Path):
    for name, compiled in (("fast", True), ("plain", False)):
        path = tmp_path / name
        go(epochs=2, checkpoint=path, validation=0.2, compiled=compiled)
        resumed = go(epochs=5, checkpoint=path, validation=0.2, compiled=compiled)
        left_alone = go(epochs=5, validation=0.2, compiled=compiled)
        assert bits(resumed) == bits(left_alone)
        untimed = lambda t: [record._replace(seconds=0.0) for record in t.history]
        assert untimed(resumed) == untimed(left_alone)


def test_a_finished_run_is_only_read(tmp_path: Path):
    first = go(checkpoint=tmp_path / "run")
    again = go(checkpoint=tmp_path / "run")
    assert bits(again) == bits(first)
    assert list(again.history) == list(first.history)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 2}, "seed=1, not 2"),
        ({"batch_size": 16}, "batch_size=32, not 16"),
        ({"optimiser": "sgd"}, "has besides"),
    ],
)
def test_a_file_of_another_run_is_refused(tmp_path: Path, change: Any, said: str):
    go(checkpoint=tmp_path / "run")
    before = (tmp_path / "run").read_bytes()
    with pytest.raises(CheckpointError, match=said):
        go(checkpoint=tmp_path / "run", **change)
    assert (tmp_path / "run").read_bytes() == before


def test_a_full_disk_does_not_lose_the_training(tmp_path: Path, monkeypatch: Any):
    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corrente.training.checkpoints._write", full)
    with pytest.raises(CheckpointError, match="No space left") as caught:
        go(checkpoint=tmp_path / "run", save_every=0.0)
    assert bits(caught.value.training) == bits(go())
    assert not list(tmp_path.iterdir())


PROGRAM = Path(__file__).with_name("killed.py")
STEPS = 40


def run(path: Path, out: Path) -> subprocess.Popen[bytes]:
    roots = [str(PROGRAM.parent.parent), os.environ.get("PYTHONPATH", "")]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, roots))}
    return subprocess.Popen([sys.executable, str(PROGRAM), str(path), str(out)], env=env)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_killed_at_random_moments_every_run_ends_in_the_same_bits(tmp_path: Path):
    assert run(tmp_path / "whole", tmp_path / "whole.out").wait(60) == 0
    rng, deaths, seen = np.random.default_rng(), 0, 0
    while not (tmp_path / "cut.out").exists():
        process = run(tmp_path / "cut", tmp_path / "cut.out")
        wanted = seen + int(rng.integers(1, 18)) if deaths < 3 else STEPS + 1
        while process.poll() is None:
            if _steps(tmp_path / "cut") >= wanted:
                time.sleep(rng.uniform(0.0, 0.01))
                process.send_signal(signal.SIGKILL)
                process.wait()
                deaths += 1
            time.sleep(0.001)
        seen = _steps(tmp_path / "cut")
    assert deaths >= 2
    assert (tmp_path / "cut.out").read_bytes() == (tmp_path / "whole.out").read_bytes()


def _steps(path: Path) -> int:
    """Return how far a run has come, read from its file's header alone."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    size = int.from_bytes(content[:8], "little")
    about = json.loads(content[8 : 8 + size])["__metadata__"]
    return json.loads(about["facts"])["steps"]


# --- what is shown, and what is refused -----------------------------------------------------------


def test_it_tells_how_it_ended_in_both_languages():
    trained = go()
    assert str(trained).startswith("done after 4 epochs: loss ")
    assert trained.says.pt.startswith("concluído após 4 épocas: perda ")


def test_progress_is_drawn_when_asked(capsys: Any):
    go(progress=True, lang="pt")
    drawn = capsys.readouterr().err
    assert "época" in drawn
    assert "norma" in drawn or "gradiente" in drawn
    go()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"epochs": -1}, BadValue, "epochs=-1"),
        ({"batch_size": 0}, BadValue, "batch_size=0"),
        ({"patience": 0}, BadValue, "patience=0"),
        ({"rate": -0.1}, BadValue, "no learning rate"),
        ({"rate": "fast"}, BadValue, "no learning rate"),
        ({"optimiser": "newton"}, BadArgument, "no optimiser"),
        ({"optimiser": optimisers.adam(0.1)}, BadArgument, "a rate of its own"),
    ],
)
def test_arguments_without_a_meaning_are_refused(change: Any, error: Any, said: str):
    with pytest.raises(error, match=said):
        go(**change)


def test_an_optimiser_of_ones_own_keeps_its_rate():
    mine = optimisers.chain(optimisers.clip_by_norm(1.0), optimisers.adam(0.05))
    one = train(loss, start(), (X, Y), optimiser=mine, epochs=2, seed=1, batch_size=32)
    assert one.rate == 1.0
    assert one.history[-1].loss < one.history[0].loss


def test_nothing_to_train_is_refused():
    with pytest.raises(BadValue, match="no parameters"):
        train(lambda params, x: np.sum(x), {}, X, rate=0.1)


def test_a_step_keeps_to_its_budget_of_memory():
    def deep(weights, x):
        for w in weights:
            x = np.tanh(x @ w)
        return np.mean(x * x)

    rng = np.random.default_rng(0)
    weights = list(rng.normal(size=(24, 8, 8)) / 3)
    given: dict[str, Any] = {"rate": 0.01, "epochs": 1, "batch_size": 256, "progress": False}
    X = rng.normal(size=(256, 8))
    free = train(deep, weights, (X,), **given)
    tight = train(deep, weights, (X,), memory="250kB", **given)
    for one, other in zip(free.params, tight.params, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    with pytest.raises(TooLittleMemory):
        train(deep, weights, (X,), memory="1kB", **given)
