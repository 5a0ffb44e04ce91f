"""A process of its own for a student's code: limited in time and memory, without a network."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from corrente.errors import CorrenteWarning
from corrente.words import Says

# Windows has none
resource: Any = import_module("resource") if find_spec("resource") else None
Send = Callable[[dict[str, Any]], None]


class Limits(NamedTuple):
    """How much a check may use: seconds of time, bytes of memory beyond what is there."""

    seconds: float = 20.0
    memory: int = 2 << 30


class FenceWarning(CorrenteWarning):
    """A student's code runs without the limits that a check sets elsewhere."""


_NO_PROCESS = Says(
    "this system cannot fork a process: the code that is checked runs here, without limits on "
    "time and memory and with the network in reach.",
    "este sistema não bifurca processos: o código verificado roda aqui mesmo, sem limites de "
    "tempo e de memória e com a rede ao alcance.",
)
_NO_LIMITS = Says(
    "this system cannot limit memory: the code that is checked is limited in time alone.",
    "este sistema não limita a memória: o código verificado só é limitado no tempo.",
)


class Outcome(NamedTuple):
    """The last message of a process, and how it ended: "done", "time", "memory" or "ended"."""

    message: dict[str, Any] | None
    ended: str
    status: int = 0


MOST_BYTES = 16 << 20
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def confined(work: Callable[[Send], None], limits: Limits) -> Outcome:
    """Run work in a forked process and return the last message it sent.

    Time is limited by the clock, processor time and memory by the system; output is discarded,
    files cannot grow, and the network is out of reach where the system allows it. Where a
    process cannot be forked, the work runs here, without limits, and a FenceWarning says so.
    """
    if not hasattr(os, "fork"):
        warnings.warn(FenceWarning(_NO_PROCESS), stacklevel=2)
        sent: list[dict[str, Any]] = []
        work(sent.append)
        return Outcome(sent[-1] if sent else None, "done")
    if resource is None:
        warnings.warn(FenceWarning(_NO_LIMITS), stacklevel=2)
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # threads of linear algebra libraries are idle while we fork
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing, limits)
    os.close(writing)
    return _listen(child, reading, limits)


def _work(work: Callable[[Send], None], writing: int, limits: Limits) -> None:
    """The life of the child; it never returns."""
    status = 70
    try:
        with contextlib.suppress(OSError):
            os.setsid()
        _mute()
        _disconnect()
        _limit(limits)

        def send(message: dict[str, Any]) -> None:
            data = json.dumps(message).encode() + b"\n"
            while data:
                data = data[os.write(writing, data) :]

        try:
            work(send)
            status = 0
        except MemoryError:
            send({"ended": "memory"})
            status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        status = 71
    finally:
        os._exit(status)


def _mute() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # for the process's whole life
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _limit(limits: Limits) -> None:
    if resource is None:
        return
    seconds = int(limits.seconds) + 2
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_AS, _in_use() + limits.memory)
    _lower(resource.RLIMIT_FSIZE, MOST_BYTES)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (most, most))


def _in_use() -> int:
    """Return the address space in use, in bytes."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _disconnect() -> None:
    """Leave the network behind: a namespace without one, and sockets that refuse."""

    def refuse(*args: Any, **options: Any) -> Any:
        # whose language the student reads is not known here
        raise PermissionError("no network while checking · sem rede durante a correção")

    socket.socket = refuse
    socket.create_connection = refuse
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _listen(child: int, reading: int, limits: Limits) -> Outcome:
    data, status, late = b"", None, False
    end = time.monotonic() + limits.seconds
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0 or len(data) > MOST_BYTES:
                late = True
                break
            if selector.select(min(left, 0.5)):
                piece = os.read(reading, 1 << 16)
                if not piece:
                    break
                data += piece
            elif status is None:
                # somebody the student started may keep the pipe open
                gone, code = os.waitpid(child, os.WNOHANG)
                if gone:
                    status = code
                    break
    _kill(child)
    if status is None:
        _, status = os.waitpid(child, 0)
    os.close(reading)
    return _outcome(data, status, late)


def _kill(child: int) -> None:
    """End the child and whatever it started."""
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(child, signal.SIGKILL)


def _outcome(data: bytes, status: int, late: bool) -> Outcome:
    message = None
    for line in data.splitlines():
        with contextlib.suppress(ValueError):
            message = json.loads(line)
    if isinstance(message, dict) and message.get("ended") == "memory":
        return Outcome(None, "memory")
    if isinstance(message, dict) and message.get("final"):
        return Outcome(message, "done")
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -signalled
    if late or signalled == signal.SIGXCPU:
        return Outcome(message, "time")
    return Outcome(message, "ended", code)
