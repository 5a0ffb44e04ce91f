"""The pytest adapter: a course grades a file of homework with one test for each backward pass.

Switch it on with `pytest -p corrente.homework.plugin --homework homework.py`, or check in a test
of your own with `assert_backward`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from corrente.homework.asking import check_backward
from corrente.homework.files import check_file
from corrente.homework.verdicts import Verdict
from corrente.words import Says


def assert_backward(forward: Callable[..., Any], *rest: Any, **options: Any) -> Verdict:
    """Check a backward pass as check_backward does; raise AssertionError with the verdict."""
    __tracebackhide__ = True
    verdict = check_backward(forward, *rest, **options)
    if not verdict.ok:
        raise AssertionError(verdict.render(_language))
    return verdict


_language = "en"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the adapter."""
    about = Says("backward passes written by hand", "passos de volta escritos à mão")
    group = parser.getgroup("corrente", " · ".join(about))
    group.addoption("--homework", action="append", default=[], metavar="FILE.py")
    group.addoption("--homework-lang", default="en", choices=["en", "pt"])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the files that --homework names, and no other."""
    named = [Path(name).resolve() for name in parent.config.getoption("--homework") or []]
    if file_path.resolve() not in named:
        return None
    return HomeworkFile.from_parent(parent, path=file_path)


def pytest_configure(config: pytest.Config) -> None:
    """Collect the named files though nobody lists them as tests."""
    named = config.getoption("--homework")
    if named and config.args_source != pytest.Config.ArgsSource.ARGS:
        config.args = list(named)
    elif named:
        config.args = [*config.args, *(name for name in named if name not in config.args)]


class HomeworkFile(pytest.File):
    """A file of homework: one test for each backward pass in it."""

    def collect(self) -> Iterable[pytest.Item]:
        for verdict in check_file(self.path):
            yield HomeworkItem.from_parent(self, name=verdict.name, verdict=verdict)


class HomeworkItem(pytest.Item):
    """One backward pass; it fails with its verdict."""

    def __init__(self, *, verdict: Verdict, **options: Any) -> None:
        super().__init__(**options)
        self.verdict = verdict

    def runtest(self) -> None:
        if not self.verdict.ok:
            raise WrongBackward(self.verdict)

    def repr_failure(self, excinfo: Any, style: Any = None) -> str:
        return self.verdict.render(self.config.getoption("--homework-lang") or "en")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        line = self.verdict.line
        return self.path, None if line is None else line - 1, self.name


class WrongBackward(AssertionError):
    """A backward pass that is not right."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict
