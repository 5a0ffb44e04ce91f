"""The figures of training are fair: everybody learns the same, and the tables say what was kept."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from benchmarks import accuracy, rates
from docs import training_page

SPIRAL = accuracy.TASKS[0]
PEERS = [peer for peer in accuracy.PEERS if find_spec(peer.needs)]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.who)
def test_everybody_takes_the_same_steps(peer: accuracy.Peer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BENCHMARK_THREADS", "1")
    split = SPIRAL.data(0)
    told: dict[str, list[list[np.ndarray]]] = {}

    def fit(who: accuracy.Peer) -> list[list[np.ndarray]]:
        seen = told.setdefault(who.who, [])

        def tell(layers: accuracy.Layers) -> bool:
            seen.append([np.array(layer) for layer in layers])
            return len(seen) == 3

        who.fit(accuracy.start(SPIRAL, split, 0), SPIRAL, split, 0, tell)
        return seen

    ours = fit(accuracy.PEERS[0])
    theirs = fit(peer._replace(who="again"))
    assert len(ours) == len(theirs) == 3
    for one, other in zip(ours, theirs, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)


def test_the_clock_stands_while_accuracy_is_measured(monkeypatch: pytest.MonkeyPatch):
    now = [0.0]
    monkeypatch.setattr(accuracy.time, "perf_counter", lambda: now[0])
    split = SPIRAL.data(0)
    clock = accuracy.Clock(SPIRAL, split)
    layers = accuracy.start(SPIRAL, split, 0)
    original = np.argmax

    def slow(*given: Any, **named: Any) -> Any:
        now[0] += 100.0
        return original(*given, **named)

    monkeypatch.setattr(accuracy.np, "argmax", slow)
    for spent in (3.0, 1.0, 1.0):
        now[0] += spent
        assert not clock.tell(layers)
    found = clock.figures()
    assert (found["first"], found["running"], found["epochs"]) == (3.0, 3.0, 3)
    assert found["total"] == math.inf


def test_the_cost_of_a_rate_counts_rows_of_gradients():
    problem = next(p for p in rates.PROBLEMS if p.name.startswith("linnerud"))
    data = problem.data()
    params = rates.start(problem, data, 0)
    rows, seconds = rates.cost(problem, params, data, "sgd", 0)
    # every gradient of 20 rows is of all of them, for the batches are larger
    assert rows % 20 == 0
    assert 3 * 20 <= rows <= rates.EPOCHS * 20 / 10
    assert seconds > 0


def test_names_are_their_own_and_some_sets_are_kept_out():
    names = [problem.name for problem in rates.PROBLEMS]
    assert len(names) == len(set(names))
    assert sum(problem.kept_out for problem in rates.PROBLEMS) >= 4
    assert sum(not problem.kept_out for problem in rates.PROBLEMS) >= 10


def test_the_tables_show_what_was_kept():
    common = {"task": "a", "accuracy": 0.97, "batch_size": 64, "rate": 1e-3, "runs": 3}
    times = {"epochs": 5, "first": 0.5, "total": 1.0, "again": 0.75, "running": 0.25}
    slow = {"epochs": 6, "first": 0.125, "total": math.inf, "again": 3.0, "running": 2.0}
    machine = {"python": "3.11", "threads": 1}
    figures = [common | {"who": "corrente"} | times, common | {"who": "jax"} | slow]
    english, portuguese = (
        "\n".join(training_page.accuracy({"machine": machine, "figures": figures}, lang))
        for lang in ("en", "pt")
    )
    assert "| **a** to 97%, batches of 64, rate 0.001 | | | | | |" in english
    assert "| corrente | 5 | 0.500 | **1.000** | **0.750** | **0.250** |" in english
    assert "| jax | 6 | **0.125** | – | 3.000 | 2.000 |" in english
    assert "| corrente | 5 | 0,500 | **1,000** | **0,750** | **0,250** |" in portuguese
    assert "python 3.11, 1 thread(s); medianas de 3 sementes" in portuguese


def test_ratios_and_costs_are_summed_up():
    figures = [
        {"set": "s", "kept_out": False, "optimiser": "adam", "seed": k, "ratio": ratio}
        | {"cost": 0.05, "again": 0.02, "seconds": 0.01}
        for k, ratio in enumerate((0.9, 1.0, 1.6))
    ]
    lines = list(training_page.rates({"figures": figures}, "en"))
    assert lines[-1] == (
        "| 1 sets looked at | adam | 1.00× | 1.60× | 1.60× | 1 / 3 | 7.0% | 1.0% |"
    )


def test_a_page_without_a_place_for_its_table_is_told():
    text = "before\n<!-- rates: made -->\nold\n<!-- /rates -->\nafter\n"
    assert training_page.between(text, "rates", "new") == (
        "before\n<!-- rates: made -->\n\nnew\n\n<!-- /rates -->\nafter\n"
    )
    with pytest.raises(LookupError, match="accuracy"):
        training_page.between(text, "accuracy", "new")
