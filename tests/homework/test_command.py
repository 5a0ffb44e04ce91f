"""The sub-command and the pytest adapter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from corrente.errors import BadArgument, BadValue
from corrente.homework.command import run
from corrente.homework.plugin import assert_backward

ROOT = Path(__file__).parent.parent.parent
SOURCE = """
def f(x, y):
    p = x * y
    return p


def f_backward(dp, x, y):
    dx = dp * y
    dy = dp * {0}
    return dx, dy
"""


def written(tmp_path: Path, factor: str) -> str:
    file = tmp_path / "homework.py"
    file.write_text(SOURCE.format(factor))
    return str(file)


def test_exit_status_and_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run([written(tmp_path, "x")]) == 0
    assert "1 of 1 right." in capsys.readouterr().out
    assert run([written(tmp_path, "y"), "x=2", "y=3", "--lang", "pt"]) == 1
    out = capsys.readouterr().out
    assert "dy está errado, linha 9: os operandos de um produto estão trocados" in out
    assert "0 de 1 certos." in out


def test_json_and_the_mend_kept_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run([written(tmp_path, "y"), "--json"]) == 1
    (verdict,) = json.loads(capsys.readouterr().out)
    assert (verdict["line"], verdict["variable"], verdict["mistake"]) == (9, "dy", "swapped")
    assert run([written(tmp_path, "y"), "--no-mend"]) == 1
    assert "dy = dp * x" not in capsys.readouterr().out


def test_one_pass_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = written(tmp_path, "x")
    assert run([f"{file}:f_backward"]) == 0
    assert run([f"{file}:g_backward"]) == 1
    assert "no backward pass here" in capsys.readouterr().out


def test_what_is_wrong_in_the_command(tmp_path: Path):
    with pytest.raises(BadArgument, match="no file"):
        run([])
    with pytest.raises(BadArgument, match="cannot read"):
        run([str(tmp_path / "none.py")])
    with pytest.raises(BadArgument, match="NAME=VALUE"):
        run([written(tmp_path, "x"), "x"])
    with pytest.raises(BadValue):
        run(["--seconds", "none"])


def test_help_speaks_two_languages(capsys: pytest.CaptureFixture[str]):
    assert run(["--help"]) == 0
    assert "RUNS" in capsys.readouterr().out
    assert run(["--help", "--lang", "pt"]) == 0
    assert "EXECUTA" in capsys.readouterr().out


def graded(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "corrente.homework.plugin", "-q", *words]
    return subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_course_grades_with_pytest(tmp_path: Path):
    file = written(tmp_path, "y")
    ended = graded(tmp_path, "--homework", file)
    assert ended.returncode == 1
    assert "f_backward" in ended.stdout
    assert "the operands of a product are swapped" in ended.stdout
    assert graded(tmp_path, "--homework", written(tmp_path, "x")).returncode == 0


def test_assert_backward():
    def f(x):
        return np.exp(x)

    def f_backward(dout, x):
        return dout

    def right_backward(dout, x):
        return dout * np.exp(x)

    with pytest.raises(AssertionError, match="a local gradient is missing"):
        assert_backward(f, f_backward, np.ones(2))
    assert assert_backward(f, right_backward, np.ones(2)).ok


def test_why_the_guessed_inputs_failed_is_said(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text(
        "def f_forward(x, y):\n    out = [x][3] * y\n    return out, (x, y)\n\n\n"
        "def f_backward(dout, cache):\n    x, y = cache\n    return dout * y, dout * x\n"
    )
    assert run([str(path)]) == 1
    assert "IndexError: list index out of range" in capsys.readouterr().out


def test_what_is_right_by_name_and_wrong_in_its_line_is_shown_as_it_should_be(tmp_path, capsys):
    path = tmp_path / "net.py"
    path.write_text(
        "import numpy as np\n\n\ndef net_forward(x, w1, w2):\n    h = np.maximum(x @ w1, 0)\n"
        "    return h @ w2, (x, w1, w2, h)\n\n\ndef net_backward(dout, cache):\n"
        "    x, w1, w2, h = cache\n    dw2 = h.T @ dout\n    dh = dout @ w2.T\n"
        "    dw1 = x.T @ dh\n    dx = dh @ w1.T\n    return dx, dw1, dw2\n"
    )
    assert run([str(path), "--json"]) == 1
    [verdict] = json.loads(capsys.readouterr().out)
    assert verdict["mistake"] == "mask"
    assert verdict["found"] != verdict["true"]


def test_a_bad_option_is_told_in_portuguese_too(capsys):
    with pytest.raises(BadValue) as caught:
        run(["x.py", "--seconds", "-1"])
    assert "--seconds leva outro tipo de valor" in caught.value.render("pt")
