"""Compiles printed C and calls it, for the tests."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.circuit import Circuit

CC = shutil.which("cc")
needs_compiler = pytest.mark.skipif(CC is None, reason="no C compiler (cc) on this machine")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror")


def library(sources: Sequence[str], folder: Path, optimised: str = "-O2") -> ctypes.CDLL:
    """Compile sources, without their main functions, into one library and load it."""
    assert CC is not None
    file, made = folder / "printed.c", folder / "printed.so"
    file.write_text("\n".join(source.split("#ifdef CORRENTE_MAIN")[0] for source in sources))
    options = [*STRICT, optimised, "-shared", "-fPIC"]
    subprocess.run([CC, *options, file, "-o", made, "-lm"], check=True)
    return ctypes.CDLL(str(made))


def call(function: Any, circuit: Circuit, values: Any, outs: Sequence[int]) -> list[np.ndarray]:
    """Call a printed function: numbers by value, arrays and outputs by address."""
    kept: list[Any] = []
    for wire in circuit.ins:
        shape, dtype = circuit.wires[wire][:2]
        array = np.ascontiguousarray(values[wire], dtype).reshape(shape)
        kept.append(array)
    made = [np.full(circuit.wires[wire].shape, 77, circuit.wires[wire].dtype) for wire in outs]
    given = [
        array.ctypes.data_as(ctypes.c_void_p)
        if array.shape
        else np.ctypeslib.as_ctypes_type(array.dtype)(array.item())
        for array in kept
    ]
    function(*given, *(array.ctypes.data_as(ctypes.c_void_p) for array in made))
    return made
