"""Training on a cluster: any number of workers ends in the same bits, killed ones too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from workers import PARAMS, Machines, X, Y, bits, deadly, loss, memory, noisy, rows_there

from corrente.errors import BadArgument, UnreachedWarning
from corrente.training.checkpoints import CheckpointError
from corrente.training.cluster import ClusterLost, Minibatch, ShardWarning, engaged
from corrente.training.crew import ClusterError, Crew, _Sealed
from corrente.training.trainer import DivergedWarning, Training, train

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("cluster") / "trail"
    os.environ["TRAIL"] = str(path)
    yield path
    del os.environ["TRAIL"]


@pytest.fixture(scope="module")
def client(trail: Path) -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def go(cluster: Any, f: Any = loss, data: Any = (X, Y), **changed: Any) -> Training:
    given: dict[str, Any] = {"rate": 0.02, "epochs": 3, "batch_size": 128, "seed": 1}
    return train(f, PARAMS, data, cluster=cluster, **(given | changed))


@pytest.fixture(scope="module")
def usual(client: Any) -> bytes:
    return bits(go(client))


@pytest.mark.parametrize("workers", [1, 4])
def test_any_number_of_workers_ends_in_the_same_bits(workers: int, usual: bytes):
    assert bits(go(workers)) == usual


def test_threads_of_one_process_end_in_the_same_bits(usual: bytes):
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=3, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert bits(go(client)) == usual


def test_the_whole_data_at_once_agree_with_training_here(client: Any):
    given = {"batch_size": len(X), "epochs": 5, "optimiser": "sgd", "rate": 0.1}
    away, here = go(client, **given), go(None, **given)
    for name, value in here.params.items():
        np.testing.assert_allclose(away.params[name], value, rtol=1e-12, atol=1e-14)
    assert away.history[-1].loss == pytest.approx(here.history[-1].loss, rel=1e-12)


def test_it_learns_by_itself(client: Any):
    trained = go(client, rate="auto", optimiser="sgd", epochs=4, batch_size=64, validation=0.2)
    assert trained.history[-1].loss < 0.7 * trained.history[0].loss
    assert trained.history[-1].validation == pytest.approx(trained.history[-1].loss, rel=0.8)


def test_rows_held_back_are_not_learned_from(client: Any):
    # the one row that is held back alone would spoil everything
    x = np.arange(600.0)
    seen, held = [], []
    with engaged(client) as post:
        assert post is not None
        for found, source in zip((seen, held), post.parted(x, 0.25, 0, 128), strict=True):
            for [batch] in source.read(128, np.random.default_rng(0)):
                found += rows(post.crew, batch).tolist()
    assert len(held) == 150
    assert sorted(seen + held) == x.tolist()


def rows(crew: Crew, batch: Minibatch) -> Any:
    """Bring the rows of a minibatch of one array here."""
    asked = [_Sealed(errand) for errand in batch.errands(None)]
    found = crew.gathered(crew.client.map(rows_there, crew.lay(batch.side.lot), asked, pure=False))
    return np.concatenate([part for part in found if len(part)])


def test_every_row_is_seen_once_an_epoch_and_the_order_changes(client: Any):
    orders = []
    with engaged(client) as post:
        assert post is not None
        source, _ = post.parted(np.arange(600.0), None, 0, 100)
        for epoch in range(2):
            batches = list(source.read(100, np.random.default_rng(epoch)))
            assert [len(batch) for [batch] in batches] == [100] * 6
            orders.append(np.concatenate([rows(post.crew, batch) for [batch] in batches]))
    assert all(sorted(order) == list(range(600)) for order in orders)
    assert not np.array_equal(*orders)


def test_each_shard_draws_for_itself_and_draws_the_same_again(client: Any):
    once, again = go(client, noisy), go(1, noisy)
    assert bits(once) == bits(again)
    assert bits(once) != bits(go(client))
    assert bits(once) != bits(go(client, noisy, seed=2))


# --- data ---------------------------------------------------------------------------------------


def test_a_file_is_read_where_it_is_needed(client: Any, tmp_path: Path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert bits(go(client, data=(mapped, Y))) == bits(go(1, data=(mapped, Y)))
    away, here = go(client, data=(mapped, Y), batch_size=600), go(client, batch_size=600)
    np.testing.assert_allclose(away.params["W"], here.params["W"], rtol=1e-12)


def test_row_groups_are_read_by_the_workers(client: Any, tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "table.parquet"
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y})
    frame.to_parquet(path, row_group_size=70)

    def line(w: Any, rows: Any) -> Any:
        return np.mean((rows["a"] * w[0] + rows["b"] * w[1] - rows["y"]) ** 2)

    def fit(cluster: Any, size: int) -> Any:
        given = {"rate": 0.1, "epochs": 3, "batch_size": size, "cluster": cluster}
        given["compiled"] = cluster is not None
        return train(line, np.zeros(2), path, **given).params

    assert fit(client, 64).tobytes() == fit(1, 64).tobytes()
    np.testing.assert_allclose(fit(client, 600), fit(None, 600), rtol=1e-12)


def test_dask_blocks_and_loaders_are_shards_as_they_are(client: Any):
    array = pytest.importorskip("dask.array")
    cuts = [0, 100, 250, 420, 600]
    pairs = list(pairwise(cuts))
    loaders = [lambda a=a, b=b: (X[a:b], Y[a:b]) for a, b in pairs]
    chunks = tuple(b - a for a, b in pairs)
    arrays = (array.from_array(X, (chunks, 3)), array.from_array(Y, (chunks,)))
    by_loaders = bits(go(client, data=loaders))
    assert bits(go(client, data=arrays)) == by_loaders
    assert bits(go(client, data=client.persist(arrays))) == by_loaders


def test_data_larger_than_the_workers_memory_are_trained_on(tmp_path: Path):
    limit, rows = 360 << 20, 50_000
    path = tmp_path / "large.npy"
    large = np.lib.format.open_memmap(path, "w+", np.float32, (rows, 2048))
    for start in range(0, rows, 5000):
        large[start : start + 5000] = 0.5
    large.flush()
    assert large.nbytes > limit
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0", memory_limit=limit
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        [before] = client.run(os.getpid).values()
        given = {"rate": 0.01, "epochs": 1, "batch_size": 8192, "optimiser": "sgd"}
        trained = train(memory, np.float32(1.0), path, cluster=client, **given)
        [after] = client.run(os.getpid).values()
    assert before == after, "the worker was killed for its memory and begun again"
    # each step multiplies by 1 − 2·rate·¼
    assert float(trained.params) == pytest.approx((1 - 0.01 / 2) ** 7, rel=1e-5)


# --- losses -------------------------------------------------------------------------------------


def test_a_worker_killed_in_mid_epoch_costs_no_bit(client: Any, trail: Path):
    trail.unlink(missing_ok=True)
    killed = go(client, deadly, compiled=False)
    assert trail.stat().st_size > 100
    assert bits(killed) == bits(go(client, compiled=False))


def test_a_worker_killed_at_any_moment_costs_no_bit(client: Any, usual: bytes):
    pids = list(client.run(os.getpid).values())

    def kill() -> None:
        time.sleep(0.3)
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    trained = [go(client) for _ in range(3)]
    killer.join()
    assert {bits(one) for one in trained} == {usual}


def test_a_lost_scheduler_leaves_a_checkpoint_that_resumes(tmp_path: Path, usual: bytes):
    path = tmp_path / "run.safetensors"
    machines = Machines(tmp_path, 2)
    with pytest.raises(ClusterLost, match="checkpoint=") as caught:  # noqa: PT012
        client = distributed.Client(scheduler_file=str(machines.file), timeout=2)
        killer = lambda record, params: machines.scheduler.kill()
        try:
            go(client, checkpoint=path, callback=killer)
        finally:
            client.close(timeout=1)
            machines.end()
    assert len(caught.value.training.history) == 1
    assert "epoch 2" in str(caught.value)
    assert bits(go(1, checkpoint=path)) == usual


def test_a_checkpoint_of_another_partition_is_refused(client: Any, tmp_path: Path):
    path = tmp_path / "run.safetensors"
    go(None, checkpoint=path, epochs=1)
    with pytest.raises(CheckpointError, match="shards"):
        go(client, checkpoint=path)


def test_stopping_keeps_what_was_learned(client: Any):
    def stop(record: Any, params: Any) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    trained = go(client, callback=stop, epochs=5)
    assert trained.stopped == "interrupted"
    assert len(trained.history) == 2
    assert bits(trained) == bits(go(client, epochs=2))


# --- what is said -------------------------------------------------------------------------------


def test_a_nan_names_its_shard_and_row(client: Any):
    y = Y.copy()
    y[431] = np.nan
    with pytest.warns(DivergedWarning), pytest.warns(ShardWarning) as said:
        go(client, data=(X, y), epochs=1)
    shards = [str(one.message) for one in said if one.category is ShardWarning]
    assert len(shards) == 1
    assert "shard 5, row 431" in shards[0]


def test_a_loss_that_runs_away_blames_no_row(client: Any):
    with pytest.warns(DivergedWarning) as said:
        go(client, optimiser="sgd", rate=1e150, epochs=2)
    assert {one.category for one in said} == {DivergedWarning}


def test_errors_of_the_loss_arrive(client: Any):
    def broken(params: Any, x: Any, y: Any) -> Any:
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        go(client, broken)


def test_warnings_of_the_loss_arrive_once(client: Any):
    def half(params: Any, x: Any, y: Any) -> Any:
        return np.mean((x @ params["W"]) ** 2)

    with pytest.warns(UnreachedWarning) as said:
        go(client, half)
    assert len({str(one.message) for one in said}) == len(said)


def test_too_few_shards_are_spoken_of(client: Any):
    with pytest.warns(ShardWarning, match="in 1 shards"):
        go(client, batch_size=2, epochs=0)


@pytest.mark.parametrize("cluster", ["here", 0, True, object()])
def test_what_is_no_cluster_is_refused(cluster: Any):
    with pytest.raises(BadArgument, match="no cluster"):
        go(cluster)


def test_batches_cannot_be_cut_into_shards(client: Any):
    with pytest.raises(BadArgument, match="cut into shards"):
        go(client, data=[(X, Y)])


def test_it_runs_without_a_warning_in_a_script_of_its_own(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, corrente as co\n"
        "if __name__ == '__main__':\n"
        "    fit = co.train(lambda w, x: np.mean((x - w) ** 2), 0.0, np.ones(99), cluster=2,\n"
        "                   rate=0.1, epochs=20)\n"
        "    assert abs(fit.params - 1) < 0.2, fit.params\n"
    )
    command = [sys.executable, "-W", "error", str(script)]
    folders = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=os.environ | folders, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr


def test_nothing_is_loaded_for_a_training_here():
    command = "import sys, corrente.training.cluster; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command]).returncode == 0


def test_a_cluster_that_does_not_answer_is_named():
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None) as gone:
        pass
    with pytest.raises(ClusterError, match="no scheduler answers at"):
        go(gone)
    with pytest.raises(BadArgument, match="is no cluster") as caught:
        go("nonsense")
    assert "contextlib" not in str(caught.value)
