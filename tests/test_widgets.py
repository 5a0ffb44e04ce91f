"""The page as a widget: what it holds, what comes back, and what an export shows."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.extras import MissingExtra
from corrente.widgets import HEIGHT, LEAST, make_widget

EVIL = "<img src=x onerror=alert(1)>"


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")


def product(x, y, z):
    q = x + y
    return q * z


def twice(x):
    q = x * 2.0
    q = q * 3.0
    return q + np.inf * 0


def traced() -> Any:
    return co.trace(product)(-2.0, 5.0, -4.0)


def data_of(page: str) -> Any:
    """Return what a page knows of its run."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_without_anywidget_the_error_names_the_cure(monkeypatch: Any):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(MissingExtra) as caught:
        traced().widget()
    assert 'pip install "corrente[widget]"' in caught.value.render("pt")
    assert "the circuit as a widget needs anywidget" in caught.value.render("en")


def test_the_static_picture_needs_no_extra(monkeypatch: Any):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    assert traced()._repr_svg_().startswith("<svg")


@needs("anywidget")
def test_it_holds_the_page_that_is_saved(tmp_path: Path):
    t = traced()
    t.save(tmp_path / "page.html", "pt")
    widget = t.widget("pt")
    assert data_of(widget._page) == data_of((tmp_path / "page.html").read_text("utf-8"))
    assert "Content-Security-Policy" in widget._page
    assert (widget.lang, widget.theme, widget.height) == ("pt", "auto", HEIGHT)
    assert (widget.wire, widget.moved) == (None, {})
    assert repr(widget) == "<CircuitWidget product: 2 steps, value -12>"
    assert make_widget(t.run, t.backward, t.kept, height=LEAST).height == LEAST


@needs("anywidget")
@pytest.mark.parametrize(
    ("trait", "value"),
    [("lang", "de"), ("theme", "blue"), ("height", LEAST - 1), ("wire", ("q", 0)), ("moved", {})],
)
def test_traits_refuse_what_makes_no_sense(trait: str, value: Any):
    traitlets = importlib.import_module("traitlets")
    widget = traced().widget()
    with pytest.raises(traitlets.TraitError):
        setattr(widget, trait, value)


@needs("anywidget")
def test_what_is_done_in_the_page_comes_back_as_python_reads_it():
    t = co.trace(twice)(2.0)
    widget = t.widget()
    seen: list[Any] = []
    widget.observe(seen.append, "wire")
    told = {"x": 3, "W": [[1.5, "NaN"], ["-Infinity", 2]]}
    widget.set_state({"wire": ["q", 0], "moved": told})
    assert t[widget.wire].value == 4.0
    assert [change.new for change in seen] == [("q", 0)]
    assert widget.moved["x"] == 3.0
    np.testing.assert_array_equal(widget.moved["W"], [[1.5, np.nan], [-np.inf, 2.0]])
    json.dumps(widget.get_state(), allow_nan=False)


@needs("anywidget")
def test_whoever_cannot_show_it_gets_the_picture():
    t = traced()
    widget = t.widget()
    data, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/svg+xml"] == t._repr_svg_()
    assert data["text/plain"] == repr(widget)


@needs("anywidget")
def test_names_of_users_stay_text():
    t = co.trace(named(EVIL))(2.0)
    widget = t.widget()
    data = widget._repr_mimebundle_()[0]
    assert EVIL in t.run.name
    for text in (widget._page, data["image/svg+xml"]):
        assert EVIL not in text
        assert "alert(1)" in text


def named(name: str) -> Any:
    def f(x):
        return x * x

    f.__name__ = name
    return f


# --- the example ---------------------------------------------------------------------------------

EXAMPLE = Path(__file__).parent.parent / "examples" / "notebook.ipynb"


def cells_of_example() -> list[dict[str, Any]]:
    written = json.loads(EXAMPLE.read_text("utf-8"))
    return [cell for cell in written["cells"] if cell["cell_type"] == "code"]


@needs("anywidget")
def test_the_cells_of_the_example_run_and_give_what_is_stored(tmp_path: Path, capsys: Any):
    known: dict[str, Any] = {}
    for k, cell in enumerate(cells_of_example()):
        path = tmp_path / f"cell{k}.py"  # the source is read again, as Jupyter's kernel allows
        path.write_text("".join(cell["source"]), "utf-8")
        tree = ast.parse(path.read_text("utf-8"))
        last = tree.body.pop()
        assert isinstance(last, ast.Expr)
        exec(compile(tree, path, "exec"), known)
        shown = eval(compile(ast.Expression(last.value), path, "eval"), known)
        (stored,) = cell["outputs"]
        if stored["output_type"] == "stream":
            assert capsys.readouterr().out == "".join(stored["text"])
            continue
        data = {kind: "".join(text) for kind, text in stored["data"].items()}
        assert "".join(data["text/plain"].split()) == "".join(repr(shown).split())
        bundle = shown._repr_mimebundle_()[0] if hasattr(shown, "_repr_mimebundle_") else {}
        picture = (
            shown._repr_svg_() if hasattr(shown, "_repr_svg_") else bundle.get("image/svg+xml")
        )
        assert told(data.get("image/svg+xml")) == told(picture)


def told(svg: str | None) -> list[str]:
    """Return the words that a picture has for those who do not see it."""
    return [] if svg is None else re.findall(r"<(?:title|desc) id=[^>]*>([^<]*)<", svg)


def test_the_example_holds_pictures_and_nothing_of_the_machine_it_ran_on():
    text = EXAMPLE.read_text("utf-8")
    pictures = [
        "".join(output["data"]["image/svg+xml"])
        for cell in cells_of_example()
        for output in cell["outputs"]
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(pictures) == 2
    assert all(picture.startswith("<svg") for picture in pictures)
    assert "ipykernel_" not in text
    assert "traceback" not in text
    assert len(text) < 60_000
