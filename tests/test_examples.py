"""Every example runs as a user would run it, without a warning, and checks itself."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
MAIN_JOB = "main_job.py"
SECONDS = 120
HOMEWORK = ("check_homework.py", "homework_layers.py")
GALLERY = "gallery.py"
MAX_LINES = 60


def examples(*but: str) -> pytest.MarkDecorator:
    chosen = [path for path in FILES if path.name not in but]
    return pytest.mark.parametrize("path", chosen, ids=lambda path: path.stem)


def test_there_are_examples_of_the_kind_people_write():
    assert len(FILES) > 10


@examples()
def test_it_runs_and_tells_something(path: Path, tmp_path: Path):
    # in a folder of its own: an example may write the pictures it makes
    roots = [str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")]
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, roots)), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not ended.stderr
    assert ended.stdout.strip()


@examples(MAIN_JOB, GALLERY, *HOMEWORK)
def test_it_is_short_and_checks_its_own_gradient(path: Path):
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= MAX_LINES
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "co.check_grads" in called
    assert any(isinstance(node, ast.Assert) for node in ast.walk(tree))
