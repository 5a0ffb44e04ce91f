"""The living page as a widget in a Jupyter notebook."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from corrente.circuit import Run
from corrente.extras import load
from corrente.figures import summarise
from corrente.pages import write_page
from corrente.scene import lay_out
from corrente.views import svg
from corrente.words import LANGUAGES, Says

HEIGHT, LEAST = 680, 240
"""How high the widget stands at first, and how low it can be made, in pixels."""

THEMES = ("auto", "light", "dark")
"""The colours of the page: the notebook's own, or one of two."""

_PURPOSE = Says("the circuit as a widget", "o circuito como widget")


def make_widget(
    run: Run,
    backward: Run | None,
    kept: Mapping[int, int],
    lang: str = "en",
    *,
    fold: str = "auto",
    height: int = HEIGHT,
) -> Any:
    """Make a widget that holds the living page of a run; arguments are as for `write_page`.

    Traits to set: `lang` ("en", "pt"), `theme` ("auto", "light", "dark"), `height` in pixels.
    Traits to read or observe: `wire`, the key (name, number) of the wire looked at in the page, or
    None; `moved`, the inputs that were moved there, by name: numbers, and lists for arrays.
    Raises MissingExtra without anywidget, ValueError for another language.

    >>> from corrente.program import trace
    >>> t = trace(lambda x: x * x)(3.0)
    >>> w = make_widget(t.run, t.backward, t.kept, "pt")  # doctest: +SKIP
    >>> w.lang, w.moved  # doctest: +SKIP
    ('pt', {})
    """
    anywidget = load("anywidget", "widget", _PURPOSE)
    traitlets = load("traitlets", "widget", _PURPOSE)
    page = write_page(run, backward, kept, lang, fold)
    picture = svg.draw(lay_out(run, lang=lang, fold=fold))
    value = ", ".join(str(summarise(run.values[wire])) for wire in run.circuit.outs)
    title = f"<CircuitWidget {run.name}: {len(run.circuit.steps)} steps, value {value}>"
    kind = _circuit_widget(anywidget, traitlets)
    return kind(
        {"image/svg+xml": picture, "text/plain": title}, _page=page, lang=lang, height=height
    )


@lru_cache(maxsize=1)
def _circuit_widget(anywidget: Any, traitlets: Any) -> type:
    """Make the class, once: its parent is there only when it is asked for."""

    class CircuitWidget(anywidget.AnyWidget):
        """The living page of one run, in a frame; anything that cannot show it gets a picture."""

        _esm = _asset("widget.js")
        _css = _asset("widget.css")
        _page = traitlets.Unicode().tag(sync=True)
        lang = traitlets.Enum(LANGUAGES, LANGUAGES[0]).tag(sync=True)
        theme = traitlets.Enum(THEMES, THEMES[0]).tag(sync=True)
        height = traitlets.Int(HEIGHT, min=LEAST).tag(sync=True)
        wire = traitlets.Any(None, allow_none=True, read_only=True).tag(
            sync=True, from_json=lambda key, _: None if key is None else tuple(key)
        )
        moved = traitlets.Dict(read_only=True).tag(
            sync=True,
            from_json=lambda found, _: _each(float, found),
            to_json=lambda found, _: _each(_safe, found),
        )

        def __init__(self, still: dict[str, str], **traits: Any) -> None:
            self._still = still
            super().__init__(**traits)

        def __repr__(self) -> str:
            return self._still["text/plain"]

        def _repr_mimebundle_(self, **options: Any) -> Any:
            """Add the static picture: it is what an export or a site without Jupyter shows."""
            data, told = super()._repr_mimebundle_(**options)
            return data | self._still, told

    return CircuitWidget


def _each(turn: Callable[[Any], Any], found: Any) -> Any:
    """Turn every number in nested lists by name."""
    if isinstance(found, dict):
        return {name: _each(turn, value) for name, value in found.items()}
    return [_each(turn, value) for value in found] if isinstance(found, list) else turn(found)


def _safe(value: float) -> float | str:
    """Write what JSON has no number for as a text, as the page does."""
    return value if math.isfinite(value) else str(value)


def _asset(name: str) -> str:
    return (files("corrente.views") / "assets" / name).read_text(encoding="utf-8")
