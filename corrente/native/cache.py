"""The cache of machine code on disk: what one process compiled, the next one loads.

What is read here is executed. So the folder must be the user's own and closed to the others, and
of its files only regular ones count that are the user's own and that nobody else can change.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from corrente.errors import CacheWarning
from corrente.places import here
from corrente.words import Says

SIZE = 256
"""Megabytes of machine code that are kept, unless CORRENTE_CACHE_SIZE says otherwise."""
_MAGIC = b"corrente machine code 1\n"
_HEADER = len(_MAGIC) + hashlib.sha256().digest_size
_FILE = re.compile(r"[0-9a-f]{64}\.o|\.[0-9a-f]{64}\.[0-9a-f]{16}")
_SWEEPS = 16
"""Old files are looked for whenever this part of the size was written."""
_BLOCK = 4096
"""What a disk gives away at once: most programs are smaller."""
_REFUSED = Says(
    "machine code cannot be kept in {0} ({1}): every process compiles anew. Name another folder "
    "in CORRENTE_CACHE, or set CORRENTE_CACHE=off.",
    "não é possível guardar código de máquina em {0} ({1}): cada processo compila de novo. "
    "Indique outra pasta em CORRENTE_CACHE, ou defina CORRENTE_CACHE=off.",
)
_EXPOSED = Says(
    "it must be your own, and writable by nobody else",
    "a pasta precisa ser sua, e ninguém mais pode escrever nela",
)


class _Process:
    """What this process has said and done: it warns once, and seldom cleans up."""

    warned = False
    written: float | None = None
    """Bytes since files were last removed; None: nothing was written yet."""


class _File(NamedTuple):
    """A file in the folder, the least recently used first in order."""

    used: int
    name: str
    size: int


def digest(*parts: str) -> str:
    """Return the key of what was made from these parts.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    found = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        found.update(b"%d:" % len(encoded) + encoded)
    return found.hexdigest()


def load(key: str) -> bytes | None:
    """Return what was stored under a key; None if it is not there or cannot be trusted."""
    place = folder()
    if place is None:
        return None
    try:
        with _open(place) as at:
            content = _read(at, _name(key)) if _ours(os.fstat(at)) else b""
    except OSError:
        return None  # `store` will say what is wrong
    sealed, code = content[:_HEADER], content[_HEADER:]
    return code if code and sealed == _seal(key, code) else None


def store(key: str, code: bytes) -> None:
    """Keep machine code under a key; warns once if that cannot be done."""
    place = folder()
    most = _most()
    content = _seal(key, code) + code
    if place is None or len(content) > most:
        return
    try:
        os.makedirs(place, 0o700, exist_ok=True)
        with _open(place) as at:
            if not _ours(os.fstat(at)):
                _warn(_REFUSED.fill(place, _EXPOSED))
                return
            _write(at, _name(key), content)
            _clean(at, most, len(content))
    except OSError as error:
        _warn(_REFUSED.fill(place, error.strerror or error))


def folder() -> Path | None:
    """Return the folder of the cache, which may not exist yet; None where there is no cache.

    CORRENTE_CACHE names another one, or is `off`. There is none on systems whose files have no
    owners that could be compared.
    """
    told = os.environ.get("CORRENTE_CACHE", "")
    if told == "off" or os.open not in os.supports_dir_fd:
        return None
    if told:
        return Path(os.path.expanduser(told))
    if sys.platform == "darwin":
        return Path(os.path.expanduser("~/Library/Caches/corrente"))
    home = os.environ.get("XDG_CACHE_HOME", "")  # to be ignored unless it is absolute
    return Path(home if os.path.isabs(home) else os.path.expanduser("~/.cache")) / "corrente"


def _most() -> int:
    """Return how many bytes are kept."""
    told = os.environ.get("CORRENTE_CACHE_SIZE", "")
    if told and not told.isdecimal():
        _warn(
            Says(
                "CORRENTE_CACHE_SIZE={0} is not a whole number of megabytes: {1} are kept.",
                "CORRENTE_CACHE_SIZE={0} não é um número inteiro de megabytes: guardam-se {1}.",
            ).fill(told, SIZE)
        )
    return (int(told) if told.isdecimal() else SIZE) << 20


def _name(key: str) -> str:
    return f"{key}.o"


def _seal(key: str, code: bytes) -> bytes:
    """Return the header of a file: it fits one content under one key."""
    return _MAGIC + hashlib.sha256(key.encode() + code).digest()


@contextmanager
def _open(place: Path) -> Iterator[int]:
    """Open the folder: what follows goes by it, not by a name that could come to mean another."""
    at = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield at
    finally:
        os.close(at)


def _ours(found: os.stat_result) -> bool:
    """Tell whether a folder or file is the user's own and closed to what others would write."""
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(at: int, name: str) -> bytes:
    """Read a regular file of the user's own, and mark it as used."""
    # neither a link to somewhere else nor a pipe that keeps its reader waiting
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    try:
        found = os.fstat(descriptor)
        if not _ours(found) or not stat.S_ISREG(found.st_mode):
            return b""
        with suppress(OSError):  # a disk that is only read is read all the same
            os.utime(descriptor)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def _write(at: int, name: str, content: bytes) -> None:
    """Write a file that others see whole or not at all."""
    draft = f".{name.removesuffix('.o')}.{os.urandom(8).hex()}"
    fresh = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with open(os.open(draft, fresh, 0o600, dir_fd=at), "wb") as file:
            file.write(content)
        os.replace(draft, name, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft, dir_fd=at)
        raise


def _clean(at: int, most: int, written: int) -> None:
    """Remove what was not used for longest, until a part of the size is free again.

    To look at all files may take as long as to compile a program, so it is done once for so many
    bytes written. Where in those a process begins is drawn by lot: many that write little clean
    up as often as one that writes much. Until then the cache may be larger by about that part.
    """
    part = most // _SWEEPS
    if _Process.written is None:
        _Process.written = part * int.from_bytes(os.urandom(4)) / 2**32
    _Process.written += written
    if _Process.written <= part:
        return
    _Process.written = 0
    files = sorted(_files(at))
    size = sum(file.size for file in files)
    for file in files:
        if size <= most - part:
            break
        with suppress(FileNotFoundError):  # another process was faster
            os.unlink(file.name, dir_fd=at)
        size -= file.size


def _files(at: int) -> Iterator[_File]:
    """Go through the files that the house wrote, finished or left over, and no others."""
    with os.scandir(at) as found:
        for one in found:
            if _FILE.fullmatch(one.name):
                with suppress(FileNotFoundError):
                    about = one.stat(follow_symlinks=False)
                    blocks = -(-about.st_size // _BLOCK)
                    yield _File(about.st_mtime_ns, one.name, blocks * _BLOCK)


def _warn(said: Says) -> None:
    """Warn at the user's line, once in a process."""
    if _Process.warned:
        return
    _Process.warned = True
    user, depth, frame = here()[0], 1, sys._getframe()
    while frame is not None and frame.f_code is not user:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(CacheWarning(said), stacklevel=depth)
