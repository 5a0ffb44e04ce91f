"""Checkpoints: bits come back, files are whole or not there, and every fault is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from corrente.training import checkpoints
from corrente.training.checkpoints import CheckpointError, load, previous, save

numpy_format = pytest.importorskip("safetensors.numpy")


class Pair(NamedTuple):
    first: Any
    second: Any


def values() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "W": rng.normal(size=(3, 4)).astype(np.float32),
        "turned": rng.normal(size=(3, 4)).T,
        "pair": Pair(0.1, np.float32(0.2)),
        "z": np.array([1 + 2j, 3 - 1j]),
        "empty": np.zeros((0, 2)),
        "nought": np.array(-0.0),
        "odd": np.array([np.nan, np.inf, 5e-324]),
        "whole": np.arange(3),
        "c": 1.5 - 2j,
    }


def same(a: Any, b: Any) -> bool:
    a_, b_ = np.asarray(a), np.asarray(b)
    return type(a) is type(b) and a_.dtype == b_.dtype and a_.tobytes() == b_.tobytes()


def test_every_bit_and_every_type_comes_back(tmp_path: Path):
    facts = {"epoch": 3, "loss": 0.1 + 0.2, "best": float("inf"), "name": "ação"}
    save(tmp_path / "c", values(), facts)
    found = load(tmp_path / "c", like=values())
    assert found.facts == facts
    assert isinstance(found.values["pair"], Pair)
    flat = lambda v: {**{k: v[k] for k in v if k != "pair"}, "p": v["pair"][0], "q": v["pair"][1]}
    for name, value in flat(values()).items():
        assert same(flat(found.values)[name], value), name


def test_without_a_likeness_the_values_come_by_path(tmp_path: Path):
    save(tmp_path / "c", {"a": np.arange(3.0), "b": [2.0]}, {})
    found = load(tmp_path / "c")
    assert found.values["['a']"].tolist() == [0, 1, 2]
    assert found.values["['b'][0]"] == 2.0


def test_any_program_can_read_the_tensors(tmp_path: Path):
    save(tmp_path / "c", {"a": np.arange(3.0)}, {})
    tensors = numpy_format.load_file(tmp_path / "c")
    assert tensors["['a']"].tolist() == [0, 1, 2]


def test_the_one_before_is_kept(tmp_path: Path):
    for k in range(3):
        save(tmp_path / "c", {"k": float(k)}, {})
    assert load(tmp_path / "c", {"k": 0.0}).values == {"k": 2.0}
    assert load(previous(tmp_path / "c"), {"k": 0.0}).values == {"k": 1.0}
    assert sorted(os.listdir(tmp_path)) == ["c", "c.previous"]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_told_and_the_one_before_named(tmp_path: Path, share: float):
    for k in range(2):
        save(tmp_path / "c", {"a": np.full(50, float(k))}, {})
    whole = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match="truncated") as caught:
        load(tmp_path / "c", {"a": np.zeros(50)})
    assert "c.previous" in caught.value.render("en")
    assert "truncado" in caught.value.render("pt")
    assert load(previous(tmp_path / "c"), {"a": np.zeros(50)}).values["a"][0] == 0.0


def test_a_flipped_bit_is_told(tmp_path: Path):
    save(tmp_path / "c", {"a": np.arange(50.0)}, {})
    content = bytearray((tmp_path / "c").read_bytes())
    content[-5] ^= 1
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load(tmp_path / "c", {"a": np.zeros(50)})


def test_foreign_files_are_told(tmp_path: Path):
    (tmp_path / "text").write_text("epoch,loss\n1,2\n" * 20)
    numpy_format.save_file({"a": np.zeros(2)}, tmp_path / "other")
    with pytest.raises(CheckpointError, match="no safetensors file"):
        load(tmp_path / "text")
    with pytest.raises(CheckpointError, match="not written by Corrente"):
        load(tmp_path / "other")
    with pytest.raises(CheckpointError, match="No such file"):
        load(tmp_path / "missing")


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ({"a": np.zeros(3), "b": 0.0}, "lacks"),
        ({}, "has besides"),
        ({"a": np.zeros(4)}, "of shape"),
        ({"a": np.zeros(3, np.float32)}, "float32"),
    ],
)
def test_values_of_another_model_are_told(tmp_path: Path, like: Any, said: str):
    save(tmp_path / "c", {"a": np.zeros(3)}, {})
    with pytest.raises(CheckpointError, match=said):
        load(tmp_path / "c", like)


def test_what_has_no_place_in_the_file_is_refused(tmp_path: Path):
    with pytest.raises(CheckpointError, match="type object"):
        save(tmp_path / "c", {"a": np.array([None])}, {})
    assert not list(tmp_path.iterdir())


FULL_DISK = """
import resource, sys
import numpy as np
from corrente.training.checkpoints import CheckpointError, save
save(sys.argv[1], {"a": np.zeros(10)}, {"k": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    save(sys.argv[1], {"a": np.zeros(10_000)}, {"k": 2})
except CheckpointError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of file size are POSIX")
def test_a_full_disk_is_told_and_leaves_the_last_good_file(tmp_path: Path):
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "c")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "cannot be written" in ended.stdout
    assert os.listdir(tmp_path) == ["c"]
    assert load(tmp_path / "c", {"a": np.zeros(10)}).facts == {"k": 1}


def test_the_file_is_exchanged_only_when_it_is_whole(tmp_path: Path, monkeypatch: Any):
    save(tmp_path / "c", {"a": 1.0}, {})

    def torn(path: Path, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "_write", torn)
    with pytest.raises(CheckpointError, match="No space left"):
        save(tmp_path / "c", {"a": 2.0}, {})
    assert load(tmp_path / "c", {"a": 0.0}).values == {"a": 1.0}
    assert os.listdir(tmp_path) == ["c"]


def test_the_header_tells_what_it_is(tmp_path: Path):
    save(tmp_path / "c", {"a": 1.0}, {"epoch": 1})
    content = (tmp_path / "c").read_bytes()
    size = int.from_bytes(content[:8], "little")
    about = json.loads(content[8 : 8 + size])["__metadata__"]
    assert about["format"] == checkpoints.FORMAT
