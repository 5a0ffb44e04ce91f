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
SCREENSHOTS = sorted((DOCS / "screenshots").iterdir())
MOST_BYTES, MOST_BYTES_OF_ALL = 120_000, 2_500_000
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
    pictures = [*(DOCS / "pictures").rglob("*.svg"), *SCREENSHOTS]
    unused = [path for path in pictures if path.name not in text]
    assert not unused


def test_screenshots_are_small():
    sizes = [path.stat().st_size for path in SCREENSHOTS]
    assert max(sizes) <= MOST_BYTES
    assert sum(sizes) <= MOST_BYTES_OF_ALL
