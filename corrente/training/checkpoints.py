"""Checkpoints: nested values and a few facts in one safetensors file, written whole or not at all.

The file before the last one is kept beside it, with `.previous` at the end of its name.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import CorrenteError
from corrente.extras import load as load_extra
from corrente.trees import take_apart
from corrente.words import Says, plain

FORMAT = "corrente 1"
_KINDS = "biufc"


class CheckpointError(CorrenteError, OSError):
    """A checkpoint that cannot be written, or a file that is none."""


class Checkpoint(NamedTuple):
    """What a file held: the values in their structure, and the facts."""

    values: Any
    facts: dict[str, Any]


def save(path: str | os.PathLike[str], values: Any, facts: Mapping[str, Any]) -> None:
    """Write nested arrays and numbers, and facts that JSON can hold, to one file.

    The new file takes the place of the old one only when it lies whole on the disk; the old one
    is kept as `path.previous`. Raises CheckpointError, and leaves the old one as it was.
    """
    tree = take_apart(values)
    pairs = zip(tree.paths(), tree.leaves, strict=True)
    arrays = {name or "value": _stored(name, leaf) for name, leaf in pairs}
    about = {"format": FORMAT, "facts": json.dumps(dict(facts)), "sum": str(_sum(arrays))}
    written = _safetensors().save(arrays, metadata=about)
    target = Path(path)
    fresh = target.with_name(f"{target.name}.partial")
    try:
        _write(fresh, written)
        _keep(target)
        os.replace(fresh, target)
        _settle(target.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise CheckpointError(
            Says("{0} cannot be written: {1}.", "não foi possível gravar {0}: {1}.").fill(
                target, error.strerror or error
            ),
            Says(
                "make room or give another place; the checkpoint before it is untouched.",
                "libere espaço ou dê outro lugar; o checkpoint anterior está intacto.",
            ),
        ) from error


def load(path: str | os.PathLike[str], like: Any = None) -> Checkpoint:
    """Read a checkpoint; `like` gives the structure, shapes and dtypes that are expected.

    Without `like` the values are a dict of arrays by path. Raises CheckpointError, saying what is
    wrong, for a truncated or damaged file, one of another program, or of other values.
    """
    target = Path(path)
    numbers, about = _read(target)
    if about.get("format") != FORMAT:
        raise _unfit(target, Says("was not written by Corrente", "não foi gravado pelo Corrente"))
    if about.get("sum") != str(_sum(numbers)):
        raise _unfit(target, Says("has been damaged", "está danificado"))
    facts = json.loads(about["facts"])
    if like is None:
        return Checkpoint(numbers, facts)
    tree = take_apart(like)
    names = [name or "value" for name in tree.paths()]
    if set(names) != set(numbers):
        odd = sorted(set(names) ^ set(numbers))[0]
        side = Says("lacks", "não tem") if odd in names else Says("has besides", "tem a mais")
        raise _unfit(target, Says("{0} {1}", "{0} {1}").fill(side, odd), foreign=True)
    leaves = [
        _restored(target, name, numbers[name], leaf)
        for name, leaf in zip(names, tree.leaves, strict=True)
    ]
    return Checkpoint(tree.build(leaves), facts)


# --- the file -----------------------------------------------------------------------------------


def _safetensors() -> Any:
    return load_extra(
        "safetensors.numpy", "train", Says("writing checkpoints", "para gravar checkpoints")
    )


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep(target: Path) -> None:
    """Keep the last file under a second name, without a moment in which it has none."""
    if not target.exists():
        return
    spare = target.with_name(f"{target.name}.kept")
    try:
        spare.unlink(missing_ok=True)
        os.link(target, spare)
    except OSError:
        return  # a disk without hard links: the replacement itself is still all or nothing
    os.replace(spare, previous(target))


def previous(target: str | os.PathLike[str]) -> Path:
    """Return where the checkpoint before the last one is kept."""
    return Path(target).with_name(f"{Path(target).name}.previous")


def _settle(folder: Path) -> None:
    """Ask the disk to remember the new name, where the system allows it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(target: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    safetensors = _safetensors()
    try:
        content = target.read_bytes()
    except OSError as error:
        raise _unfit(target, plain(f": {error.strerror or error}")) from error
    try:
        numbers = safetensors.load(content)
        size = int.from_bytes(content[:8], "little")
        about = json.loads(content[8 : 8 + size]).get("__metadata__") or {}
    except Exception as error:  # the library has an error of its own for each kind of damage
        raise _unfit(
            target,
            Says(
                "is truncated, or no safetensors file ({0})",
                "está truncado, ou não é um arquivo safetensors ({0})",
            ).fill(error),
        ) from error
    return numbers, about


def _sum(arrays: Mapping[str, np.ndarray]) -> int:
    """Return a checksum: a file may be whole and yet not be what was written."""
    total = 0
    for name in sorted(arrays):
        total = zlib.crc32(np.ascontiguousarray(arrays[name]).tobytes(), total)
    return total


def _stored(name: str, leaf: Any) -> np.ndarray:
    array: Any = np.ascontiguousarray(leaf).reshape(np.shape(leaf))
    if array.dtype.kind not in _KINDS or array.dtype.itemsize > 16 or array.dtype.char in "gG":
        raise CheckpointError(
            Says(
                "{0} is of type {1}, which has no place in a checkpoint.",
                "{0} é do tipo {1}, que não cabe num checkpoint.",
            ).fill(name, array.dtype),
            Says("keep it elsewhere.", "guarde-o em outro lugar."),
        )
    # the format knows no complex numbers of 128 bits: pairs of real ones
    return array[..., None].view(array.real.dtype) if array.dtype.kind == "c" else array


def _restored(target: Path, name: str, array: np.ndarray, like: Any) -> Any:
    wanted = np.asarray(like)
    if wanted.dtype.kind == "c" and array.shape[-1:] == (2,):
        array = array.view(wanted.dtype)[..., 0]
    if array.shape != wanted.shape or array.dtype != wanted.dtype:
        raise _unfit(
            target,
            Says(
                "holds {0} as {1} of shape {2}, not {3} of shape {4}",
                "contém {0} como {1} de forma {2}, não {3} de forma {4}",
            ).fill(name, array.dtype, array.shape, wanted.dtype, wanted.shape),
            foreign=True,
        )
    if isinstance(like, np.ndarray):
        return array
    return type(like)(array.item())


def _unfit(target: Path, what: Says, foreign: bool = False) -> CheckpointError:
    mends = [
        Says(
            "give another path, or delete it to start anew",
            "dê outro caminho, ou apague-o para recomeçar",
        )
    ]
    if foreign:
        mends = [
            Says(
                "it belongs to another model or optimiser: give another path",
                "pertence a outro modelo ou otimizador: dê outro caminho",
            )
        ]
    elif previous(target).exists():
        mends = [
            Says(
                "the checkpoint before it is kept as {0}: give it the first one's name",
                "o checkpoint anterior está em {0}: dê-lhe o nome do primeiro",
            ).fill(previous(target).name)
        ]
    return CheckpointError(
        Says("{0} {1}.", "{0} {1}.").fill(target, what), Says("{0}.", "{0}.").fill(mends[0])
    )
