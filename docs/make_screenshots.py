"""Take the pictures of the gallery: `python docs/make_screenshots.py [NAME ...]`.

Needs Playwright with a Chromium (`CHROMIUM=/usr/bin/chromium` if it is not where Playwright looks),
Pillow, and JupyterLab with anywidget for the notebook. Names choose some of the pictures; with
`--pages FOLDER` it only writes the pages themselves, and needs none of these.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gallery_page import CIRCUITS, ENDINGS, traced

from corrente.exercises import exercise, write, write_page
from corrente.program import write_whole
from corrente.scene import lay_out
from corrente.views import text
from corrente.words import LANGUAGES

HERE = Path(__file__).parent / "screenshots"
COLOURS = 128
LEVEL, SEED = 4, 7
SECONDS = 60


# --- what is pictured ----------------------------------------------------------------------------


def walk(page: Any) -> None:
    """Go to the middle of the backward pass of a page."""
    for _ in range(page.evaluate("corrente.steps.length") + 3):
        page.keyboard.press("ArrowRight")


def look_closely(page: Any) -> None:
    """Open an array whole, where there is one."""
    tiles = page.locator("#drawing .tile.gradient")
    if tiles.count():
        tiles.nth(min(2, tiles.count() - 1)).click()
    page.mouse.move(2, 2)


def show_tangent(page: Any) -> None:
    """Bring the tangent to sight."""
    page.locator("#tangent").scroll_into_view_if_needed()


def show_plane(page: Any) -> None:
    """Choose a second input, and bring the tangent plane to sight."""
    page.select_option("#and", label="w1")
    page.evaluate("document.activeElement.blur()")
    show_tangent(page)


def answer(page: Any) -> None:
    """Answer some blanks of the exercise: two rightly, one with the wrong sign."""
    blanks = exercise(LEVEL, SEED).blanks
    for blank in blanks[:2]:
        page.fill(f"#blank-{blank.number}", write(blank.answer))
        page.press(f"#blank-{blank.number}", "Enter")
    wrong = blanks[2]
    page.fill(f"#blank-{wrong.number}", write(-wrong.answer))
    page.press(f"#blank-{wrong.number}", "Enter")


class Shot(NamedTuple):
    """One picture: of which page, in which language and light, what is done first, and of what."""

    name: str
    page: str
    lang: str
    options: Mapping[str, Any] = {}
    act: Callable[[Any], None] = look_closely
    part: str | None = None


DARK = {"color_scheme": "dark"}
NARROW = {"viewport": {"width": 390, "height": 844}}
WIDE = {"viewport": {"width": 1480, "height": 860}}
TALL = {"viewport": {"width": 1280, "height": 1500}}


def shots() -> Iterator[Shot]:
    """Go through the pictures that are taken of pages."""
    for lang in LANGUAGES:
        for name in CIRCUITS:
            yield Shot(f"{name}-light", name, lang)
            yield Shot(f"{name}-dark", name, lang, DARK)
        yield Shot("neuron-step", "neuron", lang, {}, walk)
        yield Shot("neuron-narrow", "neuron", lang, NARROW)
        yield Shot("tangent-line", "neuron", lang, TALL, show_tangent, "#tangent")
        yield Shot("tangent-plane", "neuron", lang, TALL, show_plane, "#tangent")
        yield Shot("exercise", "exercise", lang, WIDE, answer)


# --- pages and terminals -------------------------------------------------------------------------


def save_pages(folder: Path) -> dict[tuple[str, str], Path]:
    """Write the page of every circuit, and that of an exercise, in every language."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for lang in LANGUAGES:
        for name in CIRCUITS:
            path = found[name, lang] = folder / f"{name}.{lang}.html"
            traced(name).save(path, lang)
        path = found["exercise", lang] = folder / f"exercise.{lang}.html"
        write_whole(path, write_page(exercise(LEVEL, SEED), lang))
    return found


TERMINAL = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}" role="img"
 aria-label="corrente"><style>.{unique_id}-matrix {{ font: {char_height}px/{line_height}px
 ui-monospace, Menlo, Consolas, monospace; }}
{styles}</style><defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0"
 width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect width="{terminal_width}" height="{terminal_height}" rx="8" fill="#1c1f24"/>
<g transform="translate(12, 12)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


def draw_terminals() -> None:
    """Draw what a terminal shows, in its colours, as SVG."""
    from rich.console import Console  # noqa: PLC0415 (only pictures need it)
    from rich.text import Text  # noqa: PLC0415

    for lang in LANGUAGES:
        scene = lay_out(traced("first").run, lang=lang, metric=text.METRIC)
        drawn = text.draw(scene, width=78, unicode=True, colour=True)
        console = Console(record=True, file=io.StringIO(), width=78)
        # the last line is room for the edge, which the measure of the export leaves out
        console.print(Text.from_ansi(drawn + "\n"), soft_wrap=True)
        made = console.export_svg(title="", code_format=TERMINAL, unique_id="terminal")
        write_whole(HERE / f"terminal{ENDINGS[lang]}.svg", made)


# --- the notebook --------------------------------------------------------------------------------

CELLS = (
    "import numpy as np, corrente as co\n\ndef first(x, y, z):\n    q = x + y\n    return q * z\n\n"
    "t = co.trace(first)(-2.0, 5.0, -4.0)\nt",
    "t.widget({!r}, height=620)",
)


@contextmanager
def laboratory(folder: Path) -> Iterator[str]:
    """Run a JupyterLab of its own that serves a folder; yield the address, with its token."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port, token = found.getsockname()[1], secrets.token_hex(16)
    home = folder / "home"
    names = "CONFIG_DIR DATA_DIR RUNTIME_DIR LAB_SETTINGS_DIR LAB_WORKSPACES_DIR"
    own = {
        f"JUPYTER{name}" if name.startswith("LAB") else f"JUPYTER_{name}": str(home / name.lower())
        for name in names.split()
    }
    news = home / "lab_settings_dir" / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True)
    silence = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (news / "notification.jupyterlab-settings").write_text(silence, "utf-8")
    command = f"""{sys.executable} -m jupyterlab --no-browser --ServerApp.port={port}
        --IdentityProvider.token={token} --ServerApp.root_dir={folder}
        --ServerApp.allow_root=True --LabApp.expose_app_in_browser=True
        --LabApp.extension_manager=readonly""".split()
    path = os.pathsep.join([str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen(
        command,
        env=os.environ | own | {"PYTHONPATH": path, "IPYTHONDIR": str(home / "ipython")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/api/status?token={token}", server)
        # in a workspace of its own, or what was open before is opened again
        yield f"http://127.0.0.1:{port}/lab/workspaces/{{0}}/tree/{{1}}?token={token}"
    finally:
        server.terminate()
        server.wait()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("JupyterLab did not start") from None
            time.sleep(0.2)


def picture_notebooks(browser: Any, folder: Path) -> None:
    """Run a notebook with the drawing and the living page in JupyterLab, and take its picture."""
    import nbformat  # noqa: PLC0415 (only pictures need it)

    with laboratory(folder) as address:
        for lang in LANGUAGES:
            cells = [nbformat.v4.new_code_cell(cell.format(lang)) for cell in CELLS]
            kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
            name = f"circuit{ENDINGS[lang]}.ipynb"
            nbformat.write(
                nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}),
                folder / name,
            )
            page = browser.new_context(viewport={"width": 1280, "height": 1250}).new_page()
            page.goto(address.format(lang, name))
            page.wait_for_selector("#jp-main-statusbar >> text=/Idle$/", timeout=SECONDS * 1000)
            page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
            page.wait_for_selector("iframe.corrente-ready", timeout=SECONDS * 1000)
            page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
            page.wait_for_timeout(1500)
            keep(page.locator(".jp-Notebook").screenshot(), f"notebook{ENDINGS[lang]}")
            page.context.close()


# --- taking and keeping --------------------------------------------------------------------------


def keep(picture: bytes, name: str) -> None:
    """Write a picture with few colours, which makes it small."""
    from PIL import Image  # noqa: PLC0415 (only pictures need it)

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    # this way rare colours live, and the rounds after it bring back the pale ones
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, 3, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)


def picture_pages(browser: Any, pages: Mapping[tuple[str, str], Path], names: list[str]) -> None:
    """Open every page in a browser and take its picture."""
    for shot in shots():
        if names and shot.name not in names:
            continue
        options = {"viewport": {"width": 1280, "height": 860}, **shot.options}
        page = browser.new_context(**options).new_page()
        page.goto(pages[shot.page, shot.lang].as_uri())
        page.wait_for_selector("main")
        page.wait_for_timeout(300)
        shot.act(page)
        page.wait_for_timeout(400)
        seen = page if shot.part is None else page.locator(shot.part)
        keep(seen.screenshot(), f"{shot.name}{ENDINGS[shot.lang]}")
        page.context.close()


def main() -> None:
    if "--pages" in sys.argv:
        save_pages(Path(sys.argv[sys.argv.index("--pages") + 1]))
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only pictures need it)

    names = sys.argv[1:]
    HERE.mkdir(exist_ok=True)
    if not names or "terminal" in names:
        draw_terminals()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as temporary:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"]
        )
        folder = Path(temporary)
        picture_pages(browser, save_pages(folder / "pages"), names)
        if not names or "notebook" in names:
            picture_notebooks(browser, folder)
        browser.close()


if __name__ == "__main__":
    main()
