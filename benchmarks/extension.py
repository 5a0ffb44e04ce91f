"""The limit of a call: a C function that Python calls without any layer between."""

from __future__ import annotations

import subprocess
import sysconfig
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from benchmarks.limits import FLAGS, SOURCES, folder


def possible() -> bool:
    """Say whether Python's own headers are here."""
    return Path(sysconfig.get_path("include"), "Python.h").exists()


@cache
def load() -> Any:
    """Compile the extension and return its module."""
    out = folder() / "product.so"
    include = f"-I{sysconfig.get_path('include')}"
    line = ["cc", *FLAGS, include, str(SOURCES / "product.c"), "-o", str(out)]
    subprocess.run(line, check=True)
    spec = spec_from_file_location("product", out)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
