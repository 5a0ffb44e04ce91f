"""Text becomes machine code once; the next process finds it, and gets the same numbers."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.native import assembling, cache
from corrente.native.assembling import assemble, host, translate

TWICE = "define double @twice(double %x) {\n  %y = fadd double %x, %x\n  ret double %y\n}"
SUM = """
@table = global [4 x double] [double 1.0, double 2.0, double 3.0, double 4.5]
define double @total(ptr %place) {
entry:
  %sum = alloca double
  store double 0.0, ptr %sum
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %k.1, %loop ]
  %at = getelementptr inbounds double, ptr @table, i64 %k
  %x = load double, ptr %at
  %so.far = load double, ptr %sum
  %s = fadd double %x, %so.far
  store double %s, ptr %sum
  %k.1 = add i64 %k, 1
  %more = icmp ult i64 %k.1, 4
  br i1 %more, label %loop, label %done
done:
  %all = load double, ptr %sum
  ret double %all
}
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRENTE_CACHE", str(tmp_path / "cache"))


def refuse(*_: Any) -> Any:
    raise AssertionError("compiled again")


def run(loaded: assembling.Loaded, name: str, *given: float) -> float:
    kinds = [ctypes.c_double] * (1 + len(given))
    return ctypes.CFUNCTYPE(*kinds)(loaded.address(name))(*given)


def instructions(code: bytes, name: str) -> bytes:
    """Return how the machine code of a function begins: two instructions or more."""
    loaded = assembling.Loaded(code)
    return ctypes.string_at(loaded.address(name), 8)


@pytest.mark.parametrize("thorough", [False, True])
def test_what_was_compiled_is_found_again(thorough: bool, monkeypatch: pytest.MonkeyPatch):
    cold = assemble(TWICE, thorough)
    monkeypatch.setattr(assembling, "translate", refuse)
    warm = assemble(TWICE, thorough)
    assert run(cold, "twice", 1.25) == run(warm, "twice", 1.25) == 2.5
    assert cold.address("twice") != warm.address("twice")


def test_without_a_cache_it_is_compiled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORRENTE_CACHE", "off")
    assert run(assemble(TWICE, False), "twice", 3.0) == 6.0
    monkeypatch.setattr(assembling, "translate", refuse)
    with pytest.raises(AssertionError, match="compiled again"):
        assemble(TWICE, False)


def test_a_damaged_file_is_compiled_again(tmp_path: Path):
    assemble(TWICE, False)
    (path,) = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert run(assemble(TWICE, False), "twice", 3.0) == 6.0
    assert path.read_bytes() == whole


def other_text(_: pytest.MonkeyPatch) -> tuple[str, bool]:
    return TWICE.replace("%y", "%z"), False


def other_manner(_: pytest.MonkeyPatch) -> tuple[str, bool]:
    return TWICE, True


def other_cpu(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    here = host()
    monkeypatch.setattr(assembling, "host", lambda: here._replace(cpu="x86-64"))
    return TWICE, False


def other_features(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    here = host()
    monkeypatch.setattr(assembling, "host", lambda: here._replace(features="+sse2"))
    return TWICE, False


def other_triple(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    here = host()
    monkeypatch.setattr(assembling, "host", lambda: here._replace(triple="none"))
    return TWICE, False


def other_llvm(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    monkeypatch.setattr(assembling.llvm, "llvm_version_info", (1, 2, 3))
    return TWICE, False


def other_llvmlite(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    monkeypatch.setattr(assembling.llvmlite, "__version__", "0.0.1")
    return TWICE, False


def other_corrente(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    monkeypatch.setattr(co, "__version__", "0.0.0")
    return TWICE, False


def other_passes(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    monkeypatch.setattr(assembling, "_QUICK", ("sroa",))
    return TWICE, False


OTHERS = [other_text, other_manner, other_cpu, other_features, other_triple]
OTHERS += [other_llvm, other_llvmlite, other_corrente, other_passes]


@pytest.mark.parametrize("other", OTHERS)
def test_what_decides_on_the_code_is_in_its_key(other: Any, monkeypatch: pytest.MonkeyPatch):
    assemble(TWICE, False)
    assembling._made_by.cache_clear()
    with monkeypatch.context() as changed:
        given = other(changed)
        changed.setattr(assembling, "translate", refuse)
        with pytest.raises(AssertionError, match="compiled again"):
            assemble(*given)
    assembling._made_by.cache_clear()


@pytest.mark.parametrize("thorough", [False, True])
def test_variables_and_functions_have_addresses(thorough: bool):
    loaded = assemble(SUM, thorough)
    table = (ctypes.c_double * 4).from_address(loaded.address("table"))
    assert list(table) == [1.0, 2.0, 3.0, 4.5]
    total = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p)(loaded.address("total"))
    assert total(None) == 10.5
    table[0] = -2.0
    assert total(None) == 7.5
    assert list((ctypes.c_double * 4).from_address(assemble(SUM, thorough).address("table"))) == [
        1.0,
        2.0,
        3.0,
        4.5,
    ]


FOUR = """
define internal double @twice(double %x) alwaysinline {
  %y = fadd double %x, %x
  ret double %y
}
define double @four(double %x) {
  %y = call double @twice(double %x)
  %z = call double @twice(double %y)
  ret double %z
}
"""
IN_PLACE = """
define double @four(double %x) {
  %y = fadd double %x, %x
  %z = fadd double %y, %y
  ret double %z
}
"""


@pytest.mark.parametrize("thorough", [False, True])
def test_curves_are_put_in_place(thorough: bool):
    assert run(assemble(FOUR, thorough), "four", 1.5) == 6.0
    found, wanted = (instructions(translate(one, thorough), "four") for one in (FOUR, IN_PLACE))
    assert found == wanted


def test_only_thoroughly_llvm_chooses_what_to_put_in_place():
    text = FOUR.replace(" alwaysinline", "")
    quick, thorough = (instructions(translate(text, how), "four") for how in (False, True))
    assert thorough == instructions(translate(IN_PLACE, True), "four") != quick


IN_REGISTERS = """
@table = global [4 x double] [double 1.0, double 2.0, double 3.0, double 4.5]
define double @total(ptr %place) {
entry:
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %k.1, %loop ]
  %so.far = phi double [ 0.0, %entry ], [ %s, %loop ]
  %at = getelementptr inbounds double, ptr @table, i64 %k
  %x = load double, ptr %at
  %s = fadd double %x, %so.far
  %k.1 = add i64 %k, 1
  %more = icmp ult i64 %k.1, 4
  br i1 %more, label %loop, label %done
done:
  ret double %s
}
"""


def test_local_memory_is_kept_in_registers():
    assert translate(SUM, False) == translate(IN_REGISTERS, False)


# --- between processes -------------------------------------------------------------------------

PROGRAMS = """
import hashlib, sys
import numpy as np
import corrente as co
from corrente.native import assembling

texts = []
def spy(text, thorough):
    texts.append(text)
    return assemble(text, thorough)
assemble = assembling.assemble
import corrente.native
corrente.native.assemble = spy
if sys.argv[1:] == ["warm"]:
    def refuse(text, thorough):
        raise AssertionError("compiled again")
    assembling.translate = refuse

rng = np.random.default_rng(0)
def normal(*shape):
    return rng.normal(size=shape)

def network(params, X, y):
    h = np.tanh(X @ params["W"] + params["b"])
    return np.mean((h @ params["V"] - y) ** 2)

def recurrent(W, x):
    h = np.zeros(4)
    for k in range(len(x)):
        h = np.tanh(W @ h + x[k])
    return np.sum(h * h)

def picked(x, i):
    return np.sum(x[i] * np.sort(x)[:3]) + np.log(np.linalg.det(np.eye(3) * x[:3]) ** 2)

def scattered(x):
    y = np.zeros(6, like=x)
    y[1:4] = x
    y[np.array([0, 5])] += x[:2]
    return {"b": y, "a": (np.exp(y), [np.max(y), None])}

def several(x, y, name):
    return x * y if name == "product" else x + y

def wide(x):
    return np.sum(np.exp(np.sin(x) * np.cos(x)) / (1.0 + x * x))

shift = normal(3)
calls = [
    (co.value_and_grad(network),
     ({"W": normal(2, 5), "b": normal(5), "V": normal(5, 1)}, normal(7, 2), normal(7, 1))),
    (co.value_and_grad(recurrent), (normal(4, 4), normal(12, 4))),
    (co.value_and_grad(picked), (normal(6), np.array([1, 0, 2]))),
    (scattered, (normal(3),)),
    (several, (2.5, normal(3).astype(np.float32), "product")),
    (lambda z: (z * np.conj(z)).real + shift, (normal(3) + 1j * normal(3),)),
    (co.value_and_grad(lambda A, B: np.sum((A @ B) ** 2)), (normal(150, 120), normal(120, 130))),
    (co.grad(wide), (normal(200_000),)),
]
for f, given in calls:
    leaves = []
    def walk(found):
        if isinstance(found, dict):
            found = list(found.values())
        if isinstance(found, (tuple, list)):
            for part in found:
                walk(part)
        else:
            leaves.append(b"" if found is None else np.asarray(found).tobytes())
    before = len(texts)
    walk(co.jit(f)(*given))
    assert len(texts) > before, f
    print(hashlib.sha256(b"".join(leaves)).hexdigest()[:12], end=" ")
    print(*(hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts[before:]))
"""


def process(text: str, *given: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text, *given],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_next_process_compiles_nothing_and_finds_the_same():
    """The text holds no address, and no order that a process draws by lot."""
    cold = process(PROGRAMS, "cold", PYTHONHASHSEED="1")
    assert len(cold.splitlines()) == 8
    assert process(PROGRAMS, "warm", PYTHONHASHSEED="2") == cold
    assert process(PROGRAMS, "warm", PYTHONHASHSEED="3", PYTHONMALLOC="malloc") == cold


PRODUCTS = """
import sys
import numpy as np
import corrente as co
from corrente.native import assembling
if sys.argv[1:] == ["linalg"]:
    import scipy.linalg.cython_blas
rng = np.random.default_rng(0)
A, B = rng.normal(size=(300, 200)), rng.normal(size=(200, 250))
for kind in (np.float64, np.float32):
    a, b = A.astype(kind), B.astype(kind)
    np.testing.assert_allclose(co.jit(lambda a, b: a @ b)(a, b), a @ b, rtol=1e-3, atol=1e-4)
assert assembling._link_products.cache_info().misses == 1, "no product went to BLAS"
print("scipy.linalg" in sys.modules, "scipy.linalg.cython_blas" in sys.modules)
import scipy.linalg.cython_blas
print(assembling._blas().__pyx_capi__ is scipy.linalg.cython_blas.__pyx_capi__)
"""


@pytest.mark.parametrize("first", ["alone", "linalg"])
def test_blas_is_found_without_its_package_and_with_it(first: str):
    assert process(PRODUCTS, first).split() == [*[str(first == "linalg")] * 2, "True"]


def test_a_program_without_products_leaves_blas_alone():
    text = (
        "import sys, corrente as co; co.jit(lambda x: x * 2.0)(1.0); print('scipy' in sys.modules)"
    )
    assert process(text).strip() == "False"


def test_numpys_table_is_numpys():
    make = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.c_int, ctypes.c_void_p, ctypes.py_object, ctypes.c_int
    )(assembling.numpy_api()[184])
    sizes = (ctypes.c_int64 * 2)(3, 2)
    dtype = np.dtype(np.float32)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(dtype))  # the function takes it over
    made = make(2, ctypes.addressof(sizes), dtype, 0)
    assert (made.shape, made.dtype) == ((3, 2), dtype)


def test_the_host_says_how_wide_its_vectors_are():
    assert host().vector_bytes in (16, 32, 64)
    assert (host().vector_bytes == 64) == ("+avx512f" in host().features.split(","))


def test_the_tests_leave_the_users_cache_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    assert "corrente-tests-" in str(cache.folder())
