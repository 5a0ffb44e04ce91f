"""The scaling model: its parts are measured, its tables follow from them."""

from __future__ import annotations

from typing import Any

import pytest

from corrente.training.crew import branch
from corrente.training.gathering import FAN
from corrente.training.shards import MOST_SHARDS, many
from docs import scaling_page

FIGURES: dict[str, Any] = {
    "machine": {"cores": 2},
    "networks": {"small": {"widths": [32, 64, 1], "bytes": 10_000, "row_s": 1e-6}},
    "step_s": 0.01,
    "task_s": 0.001,
    "byte_there_s": 1e-9,
    "byte_back_s": 2e-9,
    "byte_added_s": 1e-10,
}


def test_the_model_has_the_partition_of_training():
    assert scaling_page.FAN == FAN
    assert scaling_page.MOST_SHARDS == MOST_SHARDS
    for workers in scaling_page.WORKERS:
        run = branch(many(scaling_page.BATCH, scaling_page.BATCH), workers)
        tasks = parts = MOST_SHARDS // run
        while parts > FAN:
            parts = -(-parts // FAN)
            tasks += parts
        step = scaling_page.predict(FIGURES, "small", workers, scaling_page.BATCH)
        assert step.tasks == pytest.approx(0.01 + 0.001 * tasks)


def test_one_worker_does_all_and_more_share_it():
    one, ten = (scaling_page.predict(FIGURES, "small", n, 1 << 20) for n in (1, 10))
    assert one.gradient == pytest.approx(1e-6 * (1 << 20))
    assert ten.gradient == pytest.approx(one.gradient * 103 / 1024)
    assert ten.parameters == pytest.approx(5 * one.parameters)


def test_the_page_has_a_table_of_every_network():
    text = scaling_page.page(FIGURES)
    for rows in scaling_page.ROWS:
        assert f"| {scaling_page.grouped(rows)} |" in text
    assert "## 32-64-1, float32" in text


def test_the_parts_can_be_measured():
    pytest.importorskip("distributed")
    scaling = pytest.importorskip("benchmarks.scaling")
    found = scaling.measured(turns=1, tiny=True)
    assert found.keys() == FIGURES.keys()
    assert all(found[name] >= 0 for name in found if name.endswith("_s"))
    assert all(about["row_s"] > 0 for about in found["networks"].values())
    assert "µs" in scaling_page.page(found)
