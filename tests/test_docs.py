"""The documentation is true: made pages are current, names are there, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import corrente

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_made_pages_and_pictures_are_current():
    # in a process of its own: other tests enter gates into the table
    command = [sys.executable, "docs/make_pages.py", "--check"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_public_name_is_documented():
    shown = re.findall(r"^::: corrente\.(\w+)$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(corrente.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path):
    links = LINK.findall(FENCE.sub("", page.read_text("utf-8")))
    broken = [
        link
        for link in links
        if not link.startswith("https://") and not (page.parent / link).exists()
    ]
    assert not broken


def test_every_picture_is_shown_on_a_page():
    text = "".join(page.read_text("utf-8") for page in PAGES)
    unused = [path for path in (DOCS / "pictures").rglob("*.svg") if path.name not in text]
    assert not unused


def test_the_two_tutorials_run_the_same_code():
    english, portuguese = (_code(DOCS / name) for name in ("tutorial.md", "tutorial.pt.md"))
    assert len(english) == len(portuguese)
    differing = [(a, b) for a, b in zip(english, portuguese, strict=True) if a != b]
    # only what is printed in a language differs
    assert all(_speaks(a) and _speaks(b) for a, b in differing), differing


def _code(page: Path) -> list[str]:
    """Return the lines of code of a page, without the terminal drawings' own."""
    lines = re.findall(r"^(?:>>>|\.\.\.) (.*)$", page.read_text("utf-8"), re.MULTILINE)
    drawing = ("print(t)", "print(drawing)", 'drawing, legend = str(t).split("\\n\\n")')
    return [line for line in lines if line not in drawing]


def _speaks(line: str) -> bool:
    return "print(" in line or ".explain(" in line
