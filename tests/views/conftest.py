"""A real browser for the pages: whatever they say or ask of a network is a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

VIEWPORT = {"width": 1400, "height": 950}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file as a page, in a window of its own, and listen."""
    heard: list[str] = []
    contexts = []

    def open_(path: Path, wait_for: str = "main", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": VIEWPORT, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("request", lambda request: heard.append(f"request: {request.url}"))
        page.goto(path.as_uri())
        page.wait_for_selector(wait_for, timeout=20_000)
        heard.remove(f"request: {path.as_uri()}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not heard


@pytest.fixture
def opened(visit: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Open the page of a program."""

    def open_(program: Any, lang: str = "en", fold: str = "auto", **options: Any) -> Any:
        path = tmp_path / f"page{len(list(tmp_path.iterdir()))}.html"
        program.save(path, lang, fold=fold)
        return visit(path, "#drawing", **options)

    return open_
