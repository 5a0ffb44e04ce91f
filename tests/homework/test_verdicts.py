"""Whatever a student's code does, there is a clear verdict."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument
from corrente.homework import check_backward
from corrente.homework.files import check_file
from corrente.homework.mistakes import MISTAKES
from corrente.homework.sandbox import Limits, confined
from corrente.homework.verdicts import Verdict, from_json

FORWARD = """
import numpy as np
inputs = {"f": (np.arange(6.0).reshape(2, 3), np.ones((3, 2)))}

def f(x, w):
    out = x @ w
    return out, (x, w)

def f_backward(dout, cache):
    x, w = cache
"""
FAST = Limits(seconds=15.0, memory=1 << 30)


def checked(tmp_path: Path, body: str, limits: Limits = FAST) -> Verdict:
    file = tmp_path / "homework.py"
    lines = body.splitlines()
    file.write_text(FORWARD + "".join(f"    {line}\n" for line in lines))
    (verdict,) = check_file(file, limits=limits)
    return verdict


def test_a_right_pass(tmp_path: Path):
    verdict = checked(tmp_path, "return dout @ w.T, x.T @ dout")
    assert verdict.ok
    assert bool(verdict)
    assert verdict.kind == "right"
    assert dict(verdict.gradients).keys() == {"dx", "dw"}


def test_an_endless_loop(tmp_path: Path):
    start = time.monotonic()
    verdict = checked(tmp_path, "while True:\n    pass", Limits(1.0, 1 << 30))
    assert verdict.kind == "time"
    assert "endless loop" in verdict.message
    assert time.monotonic() - start < 6


@pytest.mark.parametrize(
    ("body", "status"),
    [("import os; os._exit(3)", "3"), ("import sys; sys.exit(5)", "5"), ("raise SystemExit", "1")],
)
def test_the_code_ends_the_process(tmp_path: Path, body: str, status: str):
    verdict = checked(tmp_path, body)
    assert verdict.kind == "ended"
    assert status in verdict.message


def test_a_killed_process(tmp_path: Path):
    verdict = checked(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert verdict.kind == "ended"


def test_too_much_memory(tmp_path: Path):
    verdict = checked(tmp_path, "big = np.ones((1 << 30,)); return big", Limits(15.0, 256 << 20))
    assert verdict.kind in ("memory", "ended")
    assert not verdict.ok


def test_an_exception_with_its_line(tmp_path: Path):
    verdict = checked(tmp_path, "dx = dout @ w.T\ndw = x.T @ nothing\nreturn dx, dw")
    assert verdict.kind == "raised"
    assert verdict.line == 12
    assert "NameError" in verdict.message


def test_a_wrong_shape_names_both_shapes(tmp_path: Path):
    verdict = checked(tmp_path, "dx = dout @ w.T\ndw = (x.T @ dout).sum()\nreturn dx, dw")
    assert verdict.kind == "wrong"
    assert verdict.line == 12
    assert "(3, 2)" in verdict.message


def test_a_product_that_does_not_fit(tmp_path: Path):
    verdict = checked(tmp_path, "dx = dout @ w.T\ndw = x @ dout.T.T.T\nreturn dx, dw")
    assert verdict.line == 12
    assert verdict.kind in ("raised", "wrong")


def test_a_file_that_does_not_parse(tmp_path: Path):
    file = tmp_path / "broken.py"
    file.write_text("def f(x):\n    return x +\n")
    (verdict,) = check_file(file)
    assert verdict.kind == "unparsable"
    assert verdict.line == 2


@pytest.mark.parametrize("source", [b"\x00", b"\xff\xfe", b"def f(:\n"])
def test_bytes_that_are_no_python(tmp_path: Path, source: bytes):
    file = tmp_path / "broken.py"
    file.write_bytes(source)
    assert [verdict.kind for verdict in check_file(file)] == ["unparsable"]


def test_a_file_that_raises_when_imported(tmp_path: Path):
    file = tmp_path / "bad.py"
    file.write_text("def f(x): return x\ndef f_backward(dout): return dout\n1 / 0\n")
    (verdict,) = check_file(file)
    assert verdict.kind == "raised"
    assert verdict.line == 3


def test_a_file_without_backward_passes(tmp_path: Path):
    file = tmp_path / "empty.py"
    file.write_text("x = 1\n")
    assert [verdict.kind for verdict in check_file(file)] == ["uncallable"]


def test_prints_and_tracebacks_of_the_student_are_kept_back(tmp_path: Path, capfd):
    verdict = checked(tmp_path, "print('noise')\nreturn dout @ w.T, x.T @ dout")
    assert verdict.ok
    assert capfd.readouterr() == ("", "")


def test_the_network_is_out_of_reach(tmp_path: Path):
    body = "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)"
    verdict = checked(tmp_path, body)
    assert verdict.kind == "raised"
    assert "PermissionError" in verdict.message


def test_what_the_student_started_is_ended_too(tmp_path: Path):
    mark = tmp_path / "alive"
    body = (
        f"import os, time\nif os.fork() == 0:\n    time.sleep(1.5)\n    open({str(mark)!r}, 'w')\n"
    )
    checked(tmp_path, body + "while True:\n    pass", Limits(0.7, 1 << 30))
    time.sleep(1.5)
    assert not mark.exists()


def test_a_file_cannot_grow_without_end(tmp_path: Path):
    target = tmp_path / "big"
    body = f"with open({str(target)!r}, 'wb') as file:\n    file.write(bytes(1 << 26))"
    verdict = checked(tmp_path, body)
    assert not verdict.ok
    assert target.stat().st_size < 1 << 26


def test_a_confined_process_sends_its_last_message():
    def work(send):
        send({"n": 1})
        send({"n": 2, "final": True})

    assert confined(work, Limits(10.0, 1 << 30)).message == {"n": 2, "final": True}


# --- the function of the front door ---------------------------------------------------------------


def affine(x, w, b):
    out = x @ w + b
    return out, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def wrong_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout
    return dx, dw, db


ARRAYS = (np.linspace(-1, 1, 8).reshape(4, 2), np.linspace(-2, 1, 6).reshape(2, 3), np.ones(3))


def test_functions_are_checked_where_they_stand():
    assert check_backward(affine, affine_backward, *ARRAYS).ok
    verdict = check_backward(affine, wrong_backward, *ARRAYS)
    assert not verdict.ok
    assert verdict.variable == "db"
    assert verdict.line == wrong_backward.__code__.co_firstlineno + 4
    assert verdict.mistake == "sum"
    assert verdict.mend == "db = np.sum(dout, axis=0)"
    assert verdict.code == "db = dout"
    assert verdict.picture is not None
    assert "b" in verdict.picture.en


def test_closures_and_given_upstream_gradients():
    factor = 3.0

    def scaled(x):
        return x * factor

    def scaled_backward(dout, x):
        return dout * factor * 2

    verdict = check_backward(scaled, scaled_backward, np.ones(3), upstream=np.arange(3.0))
    assert verdict.mistake == "factor"
    assert verdict.true is not None
    assert "[0. 3. 6.]" in verdict.true


def test_a_function_of_both_passes_with_whole_numbers():
    def f(x, y, z):
        q = x + y
        f = q * z
        dq = z
        dz = q
        dx = dq
        dy = dq * 2
        return f, dx, dy, dz

    verdict = check_backward(f, -2, 5, -4)
    assert verdict.variable == "dy"
    assert verdict.mistake == "factor"
    assert (verdict.found, verdict.true) == ("-8", "-4")


def test_inputs_are_left_alone():
    def f(x):
        x *= 2
        return x.sum()

    def f_backward(dout, x):
        x[:] = 2 * dout
        return x

    x = np.ones(3)
    assert check_backward(f, f_backward, x).ok
    np.testing.assert_array_equal(x, np.ones(3))


def test_functions_without_source_and_wrong_numbers_of_inputs_are_refused():
    made: dict = {}
    exec("def f(x): return x\ndef g(dout): return dout", made)
    with pytest.raises(BadArgument, match="source"):
        check_backward(made["f"], made["g"], 1.0)
    with pytest.raises(BadArgument, match="one input for each"):
        check_backward(affine, affine_backward, 1.0)


def test_a_changed_upstream_gradient_is_the_fault_of_the_line_that_aliases():
    def f(x, w):
        return np.maximum(x, 0) * w, (x, w)

    def f_backward(dout, cache):
        x, w = cache
        dx = dout
        dx *= w
        dx[x < 0] = 0
        dw = dout * np.maximum(x, 0)
        return dx, dw

    rng = np.random.default_rng(0)
    verdict = check_backward(f, f_backward, rng.normal(size=5), rng.normal(size=5))
    assert verdict.mistake == "cache"
    assert verdict.line == f_backward.__code__.co_firstlineno + 2


def test_a_wrong_cache_is_found_in_the_forward_pass():
    def f(x, w):
        h = np.tanh(x * w)
        cache = (x, h, h)
        return h * 2, cache

    def f_backward(dout, cache):
        x, w, h = cache
        da = 2 * dout * (1 - h**2)
        return da * w, da * x

    rng = np.random.default_rng(0)
    verdict = check_backward(f, f_backward, rng.normal(size=5), rng.normal(size=5))
    assert verdict.mistake == "cache"
    assert verdict.line == f.__code__.co_firstlineno + 2


def test_verdicts_travel_as_json_and_speak_two_languages():
    verdict = check_backward(affine, wrong_backward, *ARRAYS)
    again = from_json(json.loads(json.dumps(verdict.json())))
    assert again == verdict
    assert "should be" in verdict.render()
    assert "deveria ser" in verdict.render("pt")
    assert verdict.mend is not None
    assert verdict.mend not in verdict.render(mend=False)


def test_every_mistake_is_said_in_both_languages():
    for mistake in MISTAKES.values():
        for says in (mistake.name, mistake.why):
            assert says.en != says.pt
            assert says.en
            assert says.pt


def test_the_front_door_opens_it():
    assert co.check_backward is check_backward
