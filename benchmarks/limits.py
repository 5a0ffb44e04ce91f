"""What the machine allows: gradients written by hand in C, compiled when they are needed."""

from __future__ import annotations

import atexit
import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import Call, Contestant, Program

SOURCES = Path(__file__).parent / "c"
FLAGS = ("-std=gnu99", "-O3", "-march=native", "-fPIC", "-shared")


def limit(
    who: str, source: str, program: Program, flags: Sequence[str] = (), **sizes: int
) -> Contestant:
    """Return a C gradient of `program`; the sizes are constants of its compilation.

    The file has `void gradient(void **in, void **out)`: the arguments in their order, then the
    value and one gradient for each differentiated argument.
    """
    defines = [f"-D{name}={size}" for name, size in sizes.items()]
    return Contestant(who, lambda: build(source, program, (*flags, *defines)), needs="cc")


def build(source: str, program: Program, flags: tuple[str, ...]) -> Call:
    """Compile, and return a call that fills the same outputs each time."""
    function = ctypes.CDLL(str(compiled(source, flags))).gradient
    given = [np.ascontiguousarray(value) for value in program.given]
    dtype = given[program.argnums[0]].dtype
    value = np.zeros((), dtype)
    slopes = tuple(np.zeros_like(given[place]) for place in program.argnums)
    places = addresses(given), addresses([value, *slopes])

    def run(given: Any, outputs: Any) -> Any:
        function(*places)
        return outputs

    return partial(run, given, (value, slopes))


def addresses(arrays: Sequence[np.ndarray]) -> Any:
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])


@cache
def compiled(source: str, flags: tuple[str, ...]) -> Path:
    """Compile one file into the process's temporary folder."""
    out = folder() / f"{Path(source).stem}{len(list(folder().iterdir()))}.so"
    line = ["cc", *FLAGS, *flags, str(SOURCES / source), "-o", str(out), "-lm", "-lpthread"]
    subprocess.run(line, check=True)
    return out


@cache
def folder() -> Path:
    path = tempfile.mkdtemp(prefix="corrente-limits-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)
