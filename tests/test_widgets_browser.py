"""The widget in a real JupyterLab, through a real browser: what is done in the page comes back."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from corrente.figures import number
from corrente.widgets import HEIGHT

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
pytest.importorskip("anywidget", reason="anywidget is not installed")
nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
ROOT = Path(__file__).parent.parent
SECONDS = 90
EVIL = "<img src=x onerror=alert(1)>"
CELLS = (
    f"""\
import numpy as np, corrente as co

def product(x, y, z):
    q = x + y
    return q * z

def layer(W, b):
    h = np.tanh(W @ b)
    return np.sum(h * h)

product.__name__ = {EVIL!r}
t = co.trace(product)(-2.0, 5.0, -4.0)
t""",
    "w = t.widget()\nw",
    "print(repr((w.wire, w.moved, w.lang, w.height)))",
    "w.lang, w.theme, w.height = 'pt', 'dark', 420",
    "v = co.trace(layer)(np.array([[0.5, -1.0, 0.25]]), np.array([1.0, 2.0, 4.0])).widget()\nv",
    "print(v.moved)",
)
STATIC, LIVING, READ, SET, ARRAYS, READ_ARRAYS = range(len(CELLS))


class Laboratory(NamedTuple):
    """A running JupyterLab: its address, its token, and the folder it serves."""

    address: str
    token: str
    folder: Path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def own_settings(folder: Path) -> Mapping[str, str]:
    """Return an environment in which Jupyter neither reads nor writes anything of the user's."""
    names = "JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR IPYTHONDIR"
    more = "JUPYTERLAB_SETTINGS_DIR JUPYTERLAB_WORKSPACES_DIR"
    own = {name: str(folder / name.lower()) for name in f"{names} {more}".split()}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return os.environ | own | {"PYTHONPATH": path, "PYTHONUTF8": "1"}


def ask_nothing(settings: Path) -> None:
    """Answer beforehand what JupyterLab would ask its user about news."""
    folder = settings / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    answer = json.dumps({"fetchNews": "false", "checkForUpdates": False})
    (folder / "notification.jupyterlab-settings").write_text(answer, "utf-8")


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    port, token = free_port(), secrets.token_hex(16)
    settings = {
        "--ServerApp.port": port,
        "--ServerApp.port_retries": 0,
        "--IdentityProvider.token": token,
        "--ServerApp.root_dir": folder,
        "--ServerApp.allow_root": True,
        "--LabApp.expose_app_in_browser": True,
        "--LabApp.extension_manager": "readonly",
        "--LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser"]
    command += [f"{name}={value}" for name, value in settings.items()]
    ask_nothing(home / "jupyterlab_settings_dir")
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=own_settings(home), cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api/status?token={token}", server, home / "log")
        yield Laboratory(address, token, folder)
    finally:
        server.terminate()
        server.wait(SECONDS)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            assert server.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def notebook(browser: Any, laboratory: Laboratory) -> Iterator[Any]:
    """Open a notebook; errors on the console and requests to anywhere else are failures."""
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    written = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    name = f"{secrets.token_hex(4)}.ipynb"
    nbformat.write(written, laboratory.folder / name)
    heard: list[str] = []
    context = browser.new_context(viewport={"width": 1500, "height": 1100})
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    page.on("pageerror", lambda error: heard.append(f"error: {error.stack}"))
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: heard.append(asked.url) if not at_home(asked.url) else None)
    # in a workspace of its own, or what the test before had open is opened again
    place = f"/lab/workspaces/{name[:8]}/tree/{name}"
    page.goto(f"{laboratory.address}{place}?token={laboratory.token}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("#jp-main-statusbar >> text=/Idle$/")
    yield page
    context.close()
    # JupyterLab trips over its own style sheets when its colours change fast
    assert not [said for said in heard if "/static/lab/jlab_core" not in said]


def at_home(url: str) -> bool:
    found = urlsplit(url)
    return found.scheme in ("data", "blob", "about") or found.hostname == "127.0.0.1"


def cell(notebook: Any, k: int) -> Any:
    return notebook.locator(".jp-Notebook .jp-CodeCell").nth(k)


def run(notebook: Any, k: int) -> str:
    """Run one cell by its keys, as a person does; return what it printed."""
    prompt = cell(notebook, k).locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell(notebook, k).locator(".jp-Editor").click()
    notebook.keyboard.press("Control+Enter")
    sync_api.expect(prompt).not_to_have_text(before, timeout=SECONDS * 1000)
    sync_api.expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=SECONDS * 1000)
    found = cell(notebook, k).locator(".jp-OutputArea-output")
    return found.first.inner_text() if found.count() else ""


def living(notebook: Any, k: int) -> Any:
    """Return the page in the output of a cell."""
    cell(notebook, k).locator("iframe.corrente-ready").wait_for()
    return cell(notebook, k).locator("iframe").element_handle().content_frame()


def read(notebook: Any, k: int = READ) -> Any:
    """Run a cell that prints what Python knows, and read it."""
    return ast.literal_eval(run(notebook, k))


def drag(notebook: Any, at: Any, dx: float, dy: float) -> None:
    """Take hold of the middle of something and move it, with the mouse."""
    at.scroll_into_view_if_needed()
    box = at.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    notebook.mouse.move(x, y)
    notebook.mouse.down()
    notebook.mouse.move(x + dx, y + dy, steps=5)
    notebook.mouse.up()


def choose_theme(notebook: Any, name: str) -> None:
    """Change JupyterLab's own colours, as its menu of settings does."""
    notebook.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", name
    )


def value_of(page: Any, name: str, kind: str = "value") -> Any:
    return page.evaluate(
        f"""name => {{
            const found = corrente.{kind}Of(corrente.wires.find(wire => wire.name === name).id);
            return found.scalar ? found.value : Array.from(found.data);
        }}""",
        name,
    )


# --- what is seen --------------------------------------------------------------------------------


def test_what_is_done_in_the_page_comes_back(notebook: Any):
    run(notebook, STATIC)
    run(notebook, LIVING)
    page = living(notebook, LIVING)
    assert EVIL in page.inner_text("#title")
    assert read(notebook) == (("q", 0), {}, "en", HEIGHT)
    page.click("#next")
    assert page.inner_text("#sentence").startswith("q = x + y")
    page.click("#last")
    drag(notebook, page.locator('input[type=range][data-input="x"]'), 40, 0)
    page.locator(".slider").nth(1).locator("input[type=number]").fill("2.5")
    notebook.keyboard.press("Enter")
    x = value_of(page, "x")
    assert x > -1.9
    assert f"= {number((x + 2.5) * -4.0)}" in page.inner_text("#summary")
    assert value_of(page, "z", "gradient") == pytest.approx(x + 2.5)
    page.locator('.label[data-wires="0"]').first.click()
    page.click('#languages [data-lang="pt"]')
    drag(notebook, cell(notebook, LIVING).locator(".corrente-grip"), 0, 60)
    key, moved, lang, height = read(notebook)
    assert (key, lang, height) == (("x", 0), "pt", HEIGHT + 60)
    assert moved == {"x": pytest.approx(x), "y": 2.5}
    page.click("#recorded")
    assert read(notebook)[1] == {}


def test_it_follows_python_and_the_colours_of_the_notebook(notebook: Any):
    run(notebook, STATIC)
    run(notebook, LIVING)
    page = living(notebook, LIVING)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    choose_theme(notebook, "JupyterLab Dark")
    page.wait_for_selector('html[data-theme="dark"]')
    dark = page.evaluate(ground)
    assert dark != light
    choose_theme(notebook, "JupyterLab Light")
    page.wait_for_selector('html[data-theme="light"]')
    assert page.evaluate(ground) == light
    run(notebook, SET)
    page.wait_for_selector('html[data-theme="dark"][lang="pt-BR"]')
    assert "Circuito de" in cell(notebook, LIVING).locator("iframe").get_attribute("title")
    grip = cell(notebook, LIVING).locator(".corrente-grip")
    assert "Altura" in grip.get_attribute("aria-label")
    grip.focus()
    notebook.keyboard.press("ArrowDown")
    assert read(notebook)[2:] == ("pt", 460)
    assert cell(notebook, LIVING).locator("iframe").bounding_box()["height"] == 460


def test_elements_of_arrays_come_back_in_their_places(notebook: Any):
    run(notebook, STATIC)
    run(notebook, ARRAYS)
    page = living(notebook, ARRAYS)
    assert read(notebook, READ_ARRAYS) == {}
    page.locator(".array", has_text="W").locator('[data-element="1"]').click()
    page.locator(".slider").last.locator("input[type=number]").fill("3")
    notebook.keyboard.press("Enter")
    assert value_of(page, "W") == [0.5, 3.0, 0.25]
    assert read(notebook, READ_ARRAYS) == {"W": [[0.5, 3.0, 0.25]]}


def test_what_is_saved_shows_the_picture_where_no_kernel_runs(
    notebook: Any, laboratory: Laboratory
):
    run(notebook, STATIC)
    run(notebook, LIVING)
    living(notebook, LIVING)
    notebook.keyboard.press("Control+s")
    notebook.wait_for_selector(".lm-TabBar-tab.jp-mod-active:not(.jp-mod-dirty)")
    path = laboratory.folder / urlsplit(notebook.url).path.rpartition("/")[2]
    saved = nbformat.read(path, 4)
    pictures = [saved.cells[k].outputs[0].data["image/svg+xml"] for k in (STATIC, LIVING)]
    page, _ = nbconvert.HTMLExporter().from_notebook_node(saved)
    shown = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', page)
    assert [base64.b64decode(text).decode().strip() for text in shown] == [
        picture.strip() for picture in pictures
    ]
    for text in (page, *pictures):
        assert EVIL not in text
        assert "widget-view+json" not in text
