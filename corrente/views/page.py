"""A run as one web page: the living circuit, its source and its numbers, in one file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from corrente.circuit import Run
from corrente.scene import Scene
from corrente.views.envelope import TONGUES, embedded, enclose, picture
from corrente.views.payload import describe

SCRIPTS = (
    "words", "numbers", "run", "outline", "layout", "drafts", "drawing", "sentences", "panes",
    "matrix", "inputs", "tangent", "page",
)  # fmt: skip
"""The parts of the page's program, in the order in which they are put together."""


class Living(NamedTuple):
    """JavaScript that works a run out anew: a file with one function, and what it returns.

    `shown` names its outputs in order: (kind, wire, step, position), as in a replay.
    """

    text: str
    shown: Sequence[tuple[str, int, int, int]]


@dataclass(frozen=True)
class Extras:
    """What stands beside the circuit: generated code by language, and what makes it live.

    The lines of code are (text, wires they belong to, wires whose gradients they make, kept wires
    they need, are they in the backward pass). `why_not` says in both languages why there is no
    code, or why the inputs cannot be moved.
    """

    code: Mapping[str, Sequence[tuple[Any, ...]]] = field(default_factory=dict)
    why_no_code: Sequence[str] = ("", "")
    living: Living | None = None
    why_not_living: Sequence[str] = ("", "")


def draw(
    scene: Scene,
    run: Run,
    kept: Mapping[int, int] | None = None,
    extras: Extras | None = None,
    fold: str = "auto",
) -> str:
    """Print a run as a self-contained HTML page in the scene's language.

    The scene is what is seen where no script runs; `fold` is how the living circuit opens.
    Nothing is fetched from anywhere: the page's own rules forbid it, and allow only the scripts
    and the style that were written into it.
    """
    extras = extras or Extras()
    told = describe(run, kept or {})
    told |= {
        "title": scene.title,
        "description": scene.description,
        "lang": scene.lang,
        "fold": fold,
        "code": extras.code,
        "whyNoCode": list(extras.why_no_code),
        "whyNotLiving": list(extras.why_not_living),
        "living": extras.living and [list(each) for each in extras.living.shown],
    }
    scripts = [text for text in (_again(extras.living), _asset("program")) if text]
    fields = {
        "lang": TONGUES[scene.lang],
        "title": escape(scene.title),
        "picture": picture(scene),
        "data": embedded(told),
    }
    return enclose(_asset("page.html"), fields, scripts, _asset("look.css") + _asset("page.css"))


def _again(living: Living | None) -> str:
    """Wrap the generated function, so that it alone is seen from outside."""
    if living is None:
        return ""
    named = re.search(r"^function (\w+)\(", living.text, re.MULTILINE)
    if named is None or "</" in living.text or "<!--" in living.text:
        return ""  # nothing the generator writes; a page that might break is not worth the risk
    return f'"use strict";\nwindow.recompute = (() => {{\n{living.text}\nreturn {named[1]};\n}})();'


@lru_cache(maxsize=8)
def _asset(name: str) -> str:
    """Read a part of the page that is kept beside this room; `program` is all its scripts."""
    folder = files("corrente.views") / "assets"
    if name != "program":
        return (folder / name).read_text(encoding="utf-8")
    parts = [(folder / f"{part}.js").read_text(encoding="utf-8") for part in SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();"
