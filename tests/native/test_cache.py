"""What was compiled comes back whole or not at all, from files that are the user's own."""

from __future__ import annotations

import inspect
import os
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import corrente as co
from corrente.errors import CacheWarning
from corrente.native import cache

KEY, OTHER = cache.digest("one"), cache.digest("other")
CODE = b"\x7fELF, or so\n" * 20
ME = os.geteuid()


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a process that has said nothing, and will clean up when it writes."""
    monkeypatch.setattr(cache._Process, "warned", False)
    monkeypatch.setattr(cache._Process, "written", 1e12)


@pytest.fixture(name="place")
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "not yet" / "corrente"
    monkeypatch.setenv("CORRENTE_CACHE", str(place))
    monkeypatch.delenv("CORRENTE_CACHE_SIZE", raising=False)
    return place


def path_of(place: Path, key: str = KEY) -> Path:
    return place / f"{key}.o"


def test_what_is_stored_is_loaded(place: Path):
    assert cache.load(KEY) is None
    assert not place.exists()
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE
    assert cache.load(OTHER) is None
    assert os.listdir(place) == [f"{KEY}.o"]


def test_the_last_one_stored_counts(place: Path):
    cache.store(KEY, CODE)
    cache.store(KEY, b"shorter")
    assert cache.load(KEY) == b"shorter"


def test_the_key_depends_on_every_part_and_where_it_ends():
    made = [("ab", "c"), ("a", "bc"), ("abc",), ("ab", "c", ""), ("c", "ab"), ("ab", "ç")]
    assert len({cache.digest(*parts) for parts in made}) == len(made)


# --- where -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "/home/ana/.cache/corrente"),
        ({"XDG_CACHE_HOME": "/tmp/x"}, "/tmp/x/corrente"),
        ({"XDG_CACHE_HOME": "here/x"}, "/home/ana/.cache/corrente"),
        ({"CORRENTE_CACHE": "", "XDG_CACHE_HOME": "/tmp/x"}, "/tmp/x/corrente"),
        ({"CORRENTE_CACHE": "/tmp/y", "XDG_CACHE_HOME": "/tmp/x"}, "/tmp/y"),
        ({"CORRENTE_CACHE": "~/y"}, "/home/ana/y"),
        ({"CORRENTE_CACHE": "off"}, None),
    ],
)
def test_where_it_lies(given: dict[str, str], found: str | None, monkeypatch: pytest.MonkeyPatch):
    for name in ("CORRENTE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/ana", **given}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.folder() == (None if found is None else Path(found))


def test_where_it_lies_on_macos(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CORRENTE_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/home/ana")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == Path("/home/ana/Library/Caches/corrente")


def test_off_writes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    cache.store(KEY, CODE)
    assert cache.load(KEY) is None
    assert not place.exists()
    assert not Path("off").exists()


# --- what is not whole, or not ours ------------------------------------------------------------


def test_cut_off_anywhere_it_is_not_there(place: Path):
    cache.store(KEY, CODE)
    whole = path_of(place).read_bytes()
    for length in range(len(whole)):
        path_of(place).write_bytes(whole[:length])
        assert cache.load(KEY) is None, length
    path_of(place).write_bytes(whole + b"\0")
    assert cache.load(KEY) is None


def test_with_any_bit_turned_it_is_not_there(place: Path):
    cache.store(KEY, CODE)
    whole = path_of(place).read_bytes()
    for k in range(len(whole)):
        path_of(place).write_bytes(whole[:k] + bytes([whole[k] ^ 1 << k % 8]) + whole[k + 1 :])
        assert cache.load(KEY) is None, k


def test_under_another_key_it_is_not_there(place: Path):
    cache.store(KEY, CODE)
    path_of(place).rename(path_of(place, OTHER))
    assert cache.load(OTHER) is None


def test_nothing_is_no_machine_code(place: Path):
    cache.store(KEY, b"")
    assert cache.load(KEY) is None


def damaged(path: Path) -> None:
    path.write_bytes(b"something else")


def unreadable(path: Path) -> None:
    path.chmod(0)


def writable_by_the_group(path: Path) -> None:
    path.chmod(0o620)


def writable_by_all(path: Path) -> None:
    path.chmod(0o602)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


UNTRUSTED = [damaged, writable_by_the_group, writable_by_all, linked, piped]


@pytest.mark.parametrize("harm", [*UNTRUSTED, *([unreadable] if ME else [])])
def test_what_cannot_be_trusted_is_written_anew(harm: Callable[[Path], None], place: Path):
    cache.store(KEY, CODE)
    harm(path_of(place))
    assert cache.load(KEY) is None
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE
    assert stat.S_ISREG(path_of(place).lstat().st_mode)


def test_a_pipe_is_not_read_whatever_it_gives(place: Path):
    cache.store(KEY, CODE)
    whole = path_of(place).read_bytes()
    piped(path_of(place))
    pipe = os.open(path_of(place), os.O_RDWR)
    try:
        os.write(pipe, whole)
        assert cache.load(KEY) is None
    finally:
        os.close(pipe)


def test_what_a_link_leads_to_is_left_alone(place: Path, tmp_path: Path):
    target = tmp_path / "letter"
    target.write_text("dear Ana")
    place.mkdir(0o700, parents=True)
    path_of(place).symlink_to(target)
    cache.store(KEY, CODE)
    assert target.read_text() == "dear Ana"


def test_a_folder_in_its_place_is_told(place: Path):
    path_of(place).mkdir(parents=True)
    place.chmod(0o700)
    assert cache.load(KEY) is None
    with pytest.warns(CacheWarning, match="directory"):
        cache.store(KEY, CODE)
    assert os.listdir(place) == [f"{KEY}.o"]


def test_the_file_of_another_user_is_not_read(place: Path, monkeypatch: pytest.MonkeyPatch):
    cache.store(KEY, CODE)
    ours = cache._ours
    # the folder stays our own, the file becomes somebody else's
    monkeypatch.setattr(cache, "_ours", lambda found: stat.S_ISDIR(found.st_mode) and ours(found))
    assert cache.load(KEY) is None


@pytest.mark.parametrize(
    ("user", "mode", "ours"),
    [
        (ME, 0o100600, True),
        (ME, 0o100644, True),
        (ME, 0o100664, False),
        (ME, 0o100646, False),
        (ME + 1, 0o100600, False),
        (ME, 0o040755, True),
        (ME, 0o040775, False),
        (ME + 1, 0o040700, False),
    ],
)
def test_ours_is_what_only_we_can_write(user: int, mode: int, ours: bool):
    found = os.stat_result((mode, 0, 0, 1, user, 0, 0, 0, 0, 0))
    assert cache._ours(found) is ours


# --- the folder --------------------------------------------------------------------------------


def test_the_folder_and_its_files_are_closed_to_others(place: Path):
    before = os.umask(0)
    try:
        cache.store(KEY, CODE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(path_of(place).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o722])
def test_a_folder_that_others_write_to_is_not_used(mode: int, place: Path):
    cache.store(KEY, CODE)
    place.chmod(mode)
    assert cache.load(KEY) is None
    with pytest.warns(CacheWarning, match="your own"):
        cache.store(OTHER, CODE)
    assert os.listdir(place) == [f"{KEY}.o"]


def test_the_folder_of_another_user_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch):
    cache.store(KEY, CODE)
    monkeypatch.setattr(os, "geteuid", lambda: ME + 1)
    assert cache.load(KEY) is None
    with pytest.warns(CacheWarning, match="your own"):
        cache.store(OTHER, CODE)
    assert os.listdir(place) == [f"{KEY}.o"]


def test_a_folder_behind_a_link_is_used(place: Path, tmp_path: Path):
    (tmp_path / "large disk").mkdir(0o700)
    place.parent.mkdir()
    place.symlink_to(tmp_path / "large disk")
    cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE


# --- what goes wrong is said, once -------------------------------------------------------------


def test_no_folder_can_be_made(place: Path):
    place.parent.write_text("a file")
    assert cache.load(KEY) is None
    with pytest.warns(CacheWarning, match="CORRENTE_CACHE=off") as seen:
        cache.store(KEY, CODE)
    cache.store(OTHER, CODE)  # a second warning would be an error
    assert len(seen) == 1
    assert str(place) in str(seen[0].message)


def test_the_warning_stands_at_the_users_line(place: Path):
    place.parent.write_text("a file")
    f = co.jit(lambda x: x * 3.0 + 0.125)
    with pytest.warns(CacheWarning) as seen:
        assert f(2.0) == 6.125
    assert seen[0].filename == __file__
    start = inspect.getsourcelines(test_the_warning_stands_at_the_users_line)[1]
    assert start < seen[0].lineno < start + 7


FULL = """
import resource, sys, warnings
from corrente.native import cache
cache.store("a" * 64, b"fits")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    cache.store("b" * 64, b"x" * 1000)
    cache.store("a" * 64, b"y" * 1000)
print(*(one.category.__name__ for one in seen))
print(cache.load("a" * 64), cache.load("b" * 64))
"""


def test_a_full_disk_leaves_what_was_there(place: Path):
    assert python(FULL).splitlines() == ["CacheWarning", "b'fits' None"]
    assert os.listdir(place) == ["a" * 64 + ".o"]


def test_a_disk_that_is_only_read_is_read(place: Path, monkeypatch: pytest.MonkeyPatch):
    cache.store(KEY, CODE)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    assert cache.load(KEY) == CODE


# --- its size ----------------------------------------------------------------------------------


def stored(place: Path, count: int, size: int = 100_000) -> list[str]:
    """Store so many pieces, each a minute younger than the one before."""
    keys = [cache.digest(str(k)) for k in range(count)]
    for k, key in enumerate(keys):
        cache.store(key, bytes([k]) * size)
        if path_of(place, key).exists():
            when = time.time() - 60 * (count - k)
            os.utime(path_of(place, key), (when, when))
    return keys


def total(place: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in place.iterdir())


def test_what_was_not_used_for_longest_goes(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "1")
    keys = stored(place, 9)
    assert all(cache.load(key) for key in keys)
    stored(place, 9)
    assert cache.load(keys[0]) == bytes(100_000)  # used: now the youngest
    cache.store(OTHER, bytes(200_000))
    left = [key for key in (*keys, OTHER) if path_of(place, key).exists()]
    assert left == [keys[0], *keys[3:], OTHER]


def test_it_stays_within_its_size(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "1")
    keys = stored(place, 40)
    assert total(place) <= 1 << 20
    assert total(place) > 0.8 * (1 << 20)
    assert cache.load(keys[-1]) is not None
    assert cache.load(keys[0]) is None


def test_many_small_files_stay_within_the_size(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "1")
    stored(place, 250, 10_000)
    assert 0.8 * (1 << 20) < total(place) <= 1 << 20


def test_looking_at_all_files_is_seldom(place: Path, monkeypatch: pytest.MonkeyPatch):
    looked = []
    monkeypatch.setattr(cache, "_files", lambda at: looked.append(at) or iter(()))
    stored(place, 50, 1000)
    assert len(looked) == 1
    assert len(os.listdir(place)) == 50


def test_a_large_cache_becomes_smaller_when_less_is_allowed(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    stored(place, 30)
    assert total(place) > 2 << 20
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "1")
    monkeypatch.setattr(cache._Process, "written", 1e12)
    cache.store(OTHER, CODE)
    assert total(place) <= 1 << 20


def test_small_processes_clean_up_as_often_as_large_ones(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "16")  # a part is a megabyte
    looked = []
    monkeypatch.setattr(cache, "_files", lambda at: looked.append(at) or iter(()))
    for k in range(200):
        monkeypatch.setattr(cache._Process, "written", None)
        cache.store(KEY, bytes([k]) * 200_000)
    assert 15 < len(looked) < 70  # 38 times, but for chance


def test_what_is_not_the_houses_is_kept(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "1")
    place.mkdir(0o700, parents=True)
    letters = [place / "letter.txt", place / ("g" * 64 + ".o"), place / (KEY + ".o.txt")]
    for letter in letters:
        letter.write_bytes(bytes(400_000))
        os.utime(letter, (1, 1))
    left_over = place / f".{KEY}.{'0' * 16}"
    left_over.write_bytes(bytes(400_000))
    os.utime(left_over, (2, 2))
    stored(place, 30)
    assert all(letter.exists() for letter in letters)
    assert not left_over.exists()


@pytest.mark.parametrize(("size", "kept"), [("0", False), ("1", False), ("2", True), ("", True)])
def test_what_is_larger_than_all_is_not_stored(
    size: str, kept: bool, place: Path, monkeypatch: pytest.MonkeyPatch
):
    cache.store(OTHER, CODE)
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", size)
    monkeypatch.setattr(cache._Process, "written", 1e12)
    cache.store(KEY, bytes(1 << 20))
    assert (cache.load(KEY) is not None) is kept
    assert cache.load(OTHER) == CODE  # nothing had to go


@pytest.mark.parametrize("size", ["many", "-1", "1.5"])
def test_a_size_that_is_none_is_told(size: str, place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", size)
    with pytest.warns(CacheWarning, match=f"CORRENTE_CACHE_SIZE={size}"):
        cache.store(KEY, CODE)
    assert cache.load(KEY) == CODE


# --- several processes at once -----------------------------------------------------------------


def python(text: str, *given: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text, *given], check=True, capture_output=True, text=True
    )
    return done.stdout


BUSY = """
import sys, time
from corrente.native import cache
keys = [cache.digest(str(k)) for k in range(3)]
pieces = [bytes([k]) * (200_000 * k) for k in (1, 2, 3)]
seen, until = set(), time.monotonic() + 1.5
while time.monotonic() < until:
    for key in keys:
        for piece in pieces:
            cache.store(key, piece)
            found = cache.load(key)
            assert found in pieces, "torn"
print("whole")
"""


def test_processes_at_once_see_whole_files(place: Path):
    line = [sys.executable, "-W", "error", "-c", BUSY]
    running = [
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in running:
        out, errors = process.communicate()
        assert out == "whole\n", errors
    assert sorted(os.listdir(place)) == sorted(f"{cache.digest(str(k))}.o" for k in range(3))


CLEANING = """
import os, sys, time
from corrente.native import cache
until, k = time.monotonic() + 1.0, 0
while time.monotonic() < until:
    k += 1
    cache.store(cache.digest(sys.argv[1], str(k)), os.urandom(100_000))
    cache.load(cache.digest(sys.argv[2], str(k - 1)))
print("whole")
"""


def test_processes_clean_up_at_once(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE_SIZE", "2")
    line = [sys.executable, "-W", "error", "-c", CLEANING]
    running = [
        subprocess.Popen([*line, *names], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for names in (("a", "b"), ("b", "a"))
    ]
    for process in running:
        out, errors = process.communicate()
        assert out == "whole\n", errors
    assert total(place) <= (2 << 20) + 2 * (2 << 20) // 16 + 200_000


def test_no_warning_in_good_order(place: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.store(KEY, CODE)
        cache.load(KEY)
        cache.load(OTHER)
