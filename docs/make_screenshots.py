"""Write the living pages of the gallery and take their pictures: `python docs/make_screenshots.py`.

Needs Playwright and a Chromium (`CHROMIUM=/usr/bin/chromium` if it is not where Playwright looks);
with `--pages FOLDER` it only writes the pages, and needs neither.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import corrente as co
from corrente import nn
from corrente.program import Program

HERE = Path(__file__).parent / "screenshots"


# --- the gallery ---------------------------------------------------------------------------------


def f(x, y, z):
    q = x + y
    return q * z


def neuron(w, x):
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    return 1 / (1 + np.exp(-dot))


def moons_loss(params, X, y):
    (W1, b1), (W2, b2), (W3, b3) = params
    h1 = nn.relu(X @ W1 + b1)
    h2 = nn.relu(h1 @ W2 + b2)
    scores = (h2 @ W3 + b3)[:, 0]
    margins = nn.relu(1 - y * scores)
    loss = np.mean(margins)
    penalty = sum(np.sum(W**2) for W, _ in params)
    return loss + 1e-4 * penalty


def batch_norm(x, gamma, beta):
    mu = np.mean(x, axis=0)
    centred = x - mu
    var = np.mean(centred**2, axis=0)
    xhat = centred / np.sqrt(var + 1e-5)
    out = gamma * xhat + beta
    return np.sum(out**3)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_step(params, x, h, c):
    W, b = params
    gates = np.concatenate([x, h]) @ W + b
    i, f, o, g = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return np.sum(h)


def softmax(scores):
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def attention_head(x, Q, K, V):
    q, k, v = x @ Q, x @ K, x @ V
    weights = softmax(q @ k.T / np.sqrt(k.shape[1]))
    mixed = weights @ v
    return np.mean(mixed**2)


def moons() -> Program:
    """Trace the network of micrograd's moons: 2-16-16-1 on a hundred points."""
    draw = np.random.default_rng(3)
    angle = np.pi * draw.uniform(size=100)
    side = np.repeat([0.0, 1.0], 50)
    x = np.where(side == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(side == 0, np.sin(angle), 0.5 - np.sin(angle))
    X = np.stack([x, y], axis=1) + draw.normal(size=(100, 2)) * 0.1
    sizes = [(2, 16), (16, 16), (16, 1)]
    params = [(draw.normal(size=s) / np.sqrt(s[0]), np.zeros(s[1])) for s in sizes]
    return co.trace(moons_loss, argnums=0)(params, X, 2 * side - 1)


def gallery() -> dict[str, Callable[[], Program]]:
    """Name the circuits of the gallery."""
    draw = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return np.round(draw.normal(size=shape), 2)

    return {
        "product": lambda: co.trace(f)(-2.0, 5.0, -4.0),
        "neuron": lambda: co.trace(neuron, argnums=0)([2.0, -3.0, -3.0], [-1.0, -2.0]),
        "moons": moons,
        "batch-norm": lambda: co.trace(batch_norm)(normal(6, 4), np.ones(4), np.zeros(4)),
        "lstm-step": lambda: co.trace(lstm_step, argnums=0)(
            (normal(5, 12), np.zeros(12)), normal(2), normal(3), normal(3)
        ),
        "attention-head": lambda: co.trace(attention_head, argnums=(1, 2, 3))(
            normal(5, 4), normal(4, 3), normal(4, 3), normal(4, 3)
        ),
    }


# --- the pictures --------------------------------------------------------------------------------


def walk(page: Any) -> None:
    """Go to the middle of the backward pass of a page."""
    for _ in range(page.evaluate("corrente.steps.length") + 3):
        page.keyboard.press("ArrowRight")


def look_closely(page: Any) -> None:
    """Open an array of a page whole, or a wire where there is none."""
    for kind in (".tile.gradient", ".label.gradient text"):
        found = page.locator(f"#drawing {kind}")
        if found.count():
            found.nth(min(2, found.count() - 1)).click()
            break
    page.mouse.move(2, 2)


class View(NamedTuple):
    """One way to look at pages: which ones, in which language and light, and what is done first."""

    name: str
    of: tuple[str, ...]
    lang: str = "en"
    options: Mapping[str, Any] = {}
    act: Callable[[Any], None] | None = None


NARROW = {"viewport": {"width": 390, "height": 844}}
VIEWS = (
    View("light", ("product", "neuron", "moons", "batch-norm", "lstm-step", "attention-head")),
    View("dark", ("product", "lstm-step"), "en", {"color_scheme": "dark"}, look_closely),
    View("pt", ("neuron", "batch-norm"), "pt", {}, walk),
    View("narrow", ("neuron",), "en", NARROW),
)


def save_pages(folder: Path) -> dict[str, Path]:
    """Write every page of the gallery, in English and in Portuguese."""
    found = {}
    for name, make in gallery().items():
        program = make()
        for lang in ("en", "pt"):
            path = found[f"{name} {lang}"] = folder / f"{name}.{lang}.html"
            program.save(path, lang)
    return found


def take_pictures(pages: dict[str, Path]) -> None:
    """Open every page in a browser and take its pictures."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only pictures need it)

    HERE.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"]
        )
        for view in VIEWS:
            for name in view.of:
                options = {"viewport": {"width": 1440, "height": 1000}, **view.options}
                page = browser.new_context(**options).new_page()
                page.goto(pages[f"{name} {view.lang}"].as_uri())
                page.wait_for_selector("#drawing")
                if view.act is not None:
                    view.act(page)
                page.wait_for_timeout(400)
                page.screenshot(path=HERE / f"{name}-{view.name}.png", full_page=True)
                page.context.close()
        browser.close()


def main() -> None:
    if "--pages" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--pages") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        save_pages(folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        take_pictures(save_pages(Path(folder)))


if __name__ == "__main__":
    main()
