"""Assembling: LLVM text becomes machine code at addresses in this process."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, NamedTuple

import llvmlite
import llvmlite.binding as llvm

from corrente.native import threads
from corrente.native.cache import digest, load, store

_PYTHON = (
    *("PyFloat_Type", "PyFloat_FromDouble", "PyComplex_FromDoubles"),
    *("PyLong_FromLongLong", "PyBool_FromLong"),
    *("PyTuple_New", "PyList_New", "PyDict_New", "PyDict_SetItem", "PyDict_GetItemWithError"),
    *("Py_IncRef", "Py_DecRef", "PyEval_SaveThread", "PyEval_RestoreThread"),
    *("PyObject_Vectorcall", "PyErr_Clear"),
)
_PRODUCTS = ("dgemm", "sgemm")
_QUICK = ("always_inliner", "sroa", "instruction_combine", "simplify_cfg")
_THOROUGH = 1
"""LLVM's level: the second takes an eighth longer to compile and runs no faster (measured)."""


class Host(NamedTuple):
    """What this machine is, for LLVM and for the cache's key."""

    triple: str
    cpu: str
    features: str
    vector_bytes: int


@cache
def host() -> Host:
    """Look at the machine once."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    found = llvm.get_host_cpu_features()
    wide = 64 if found.get("avx512f") else 32 if found.get("avx") else 16
    return Host(llvm.get_process_triple(), llvm.get_host_cpu_name(), found.flatten(), wide)


def _machine() -> Any:
    """Describe the machine anew: an engine owns the description that it is given."""
    here = host()
    target = llvm.Target.from_triple(here.triple)
    return target.create_target_machine(
        cpu=here.cpu, features=here.features, opt=1, reloc="pic", codemodel="jitdefault"
    )


@cache
def _link_python() -> None:
    """Make known to LLVM what all programs may call: CPython."""
    for name in _PYTHON:
        llvm.add_symbol(name, ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name)))


@cache
def _link_products() -> None:
    """Make known to LLVM the matrix products of SciPy's BLAS."""
    functions = _blas().__pyx_capi__
    for name in _PRODUCTS:
        llvm.add_symbol(f"corrente_{name}", _capsule(functions[name]))


def _blas() -> Any:
    """Load SciPy's table of BLAS functions alone: with its package it takes four times as long."""
    name = "scipy.linalg.cython_blas"
    around = find_spec("scipy")
    if around is None or around.submodule_search_locations is None or "scipy.linalg" in sys.modules:
        return import_module(name)
    places = [f"{place}/linalg" for place in around.submodule_search_locations]
    spec = PathFinder.find_spec(name, places)
    if spec is None or spec.loader is None:
        return import_module(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop(name, None)  # so that an import later on finds it as a part of its package
    return module


def _capsule(capsule: Any) -> int:
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))


@cache
def numpy_api() -> Any:
    """Return NumPy's table of C functions."""
    capsule = import_module("numpy._core._multiarray_umath")._ARRAY_API
    return ctypes.cast(_capsule(capsule), ctypes.POINTER(ctypes.c_void_p))


@cache
def _link_pool() -> Loaded:
    """Load the pool of threads and make it known to LLVM; it stays for good, threads are in it."""
    loaded = Loaded(_object(threads.pool("x86" in host().triple), thorough=False))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(loaded.engine))
    llvm.add_symbol(threads.PARALLEL, loaded.address(threads.PARALLEL))
    return loaded


@cache
def _blas_threads() -> dict[str, int]:
    """Find the functions by which OpenBLAS tells and sets its threads; none of another BLAS."""
    library = ctypes.CDLL(_blas().__file__)  # looks through the libraries that it needs, too
    for prefix in ("scipy_openblas", "openblas"):
        try:
            told, kept = library[f"{prefix}_get_num_threads"], library[f"{prefix}_set_num_threads"]
        except AttributeError:
            continue
        found = {threads.COUNTED: told, threads.SET: kept}
        return {name: ctypes.cast(f, ctypes.c_void_p).value or 0 for name, f in found.items()}
    return {}


def blas_alone() -> bool:
    """Tell whether BLAS can be kept to the thread that calls it."""
    return bool(_blas_threads())


@cache
def _link_pool_and_products() -> None:
    """Tell the pool of threads how to keep BLAS from starting threads of its own."""
    pool = _link_pool()
    for name, address in _blas_threads().items():
        ctypes.c_void_p.from_address(pool.address(name)).value = address


class Loaded:
    """Machine code in memory: `address(name)` of what it defines; lives as long as this."""

    def __init__(self, code: bytes) -> None:
        _link_python()
        empty = llvm.parse_assembly("")
        empty.triple = host().triple
        self.engine = llvm.create_mcjit_compiler(empty, _machine())
        self.engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()

    def address(self, name: str) -> int:
        """Return where a function or a variable lies."""
        return self.engine.get_function_address(name) or self.engine.get_global_value_address(name)


def assemble(text: str, thorough: bool) -> Loaded:
    """Compile LLVM text, or find what it was compiled to before."""
    multiplies = any(f"@corrente_{name}" in text for name in _PRODUCTS)
    if multiplies:
        _link_products()
    if f"@{threads.PARALLEL}" in text:
        _link_pool()
        if multiplies:
            _link_pool_and_products()
    return Loaded(_object(text, thorough))


def _object(text: str, thorough: bool) -> bytes:
    key = digest(*_made_by(), str(thorough), text)
    code = load(key)
    if code is None:
        code = translate(text, thorough)
        store(key, code)
    return code


@cache
def _made_by() -> tuple[str, ...]:
    """Say what else than the text decides on the machine code."""
    own = vars(sys.modules["corrente"])["__version__"]
    return (
        own,
        llvmlite.__version__,
        str(llvm.llvm_version_info),
        *map(str, (*host(), _QUICK, _THOROUGH)),
    )


def translate(text: str, thorough: bool) -> bytes:
    """Compile LLVM text to object code; thoroughly where it will work on much memory.

    The text has its vectors and loops already, so a few passes do most of what LLVM's own
    selection does, in a tenth of the time.
    """
    module = llvm.parse_assembly(text)
    module.triple = host().triple
    machine = _machine()
    options = llvm.create_pipeline_tuning_options(speed_level=_THOROUGH)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    if thorough:
        passes = builder.getModulePassManager()
    else:
        passes = llvm.create_new_module_pass_manager()
        for name in _QUICK:
            getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)
    return machine.emit_object(module)
