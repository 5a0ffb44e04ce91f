"""A run as one web page: the living circuit, its source and its numbers, in one file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from corrente.circuit import Run
from corrente.scene import Scene
from corrente.views import svg
from corrente.views.payload import describe

SCRIPTS = (
    "words", "numbers", "run", "outline", "layout", "drafts", "drawing", "sentences", "panes",
    "matrix", "inputs", "page",
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
    program, style = _asset("program"), _asset("page.css")
    again = _again(extras.living)
    scripts = [text for text in (again, program) if text]
    fields = {
        "lang": "pt-BR" if scene.lang == "pt" else "en",
        "title": escape(scene.title),
        "policy": _policy(scripts, style),
        "style": style,
        "picture": _picture(scene),
        "data": embedded(told),
        "scripts": "".join(f"<script>{text}</script>\n" for text in scripts),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: fields[found[1]], _asset("page.html"))


def embedded(data: Any) -> str:
    """Write data as JSON that cannot end the element it stands in.

    >>> embedded("</script>")
    '"\\\\u003c/script>"'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _again(living: Living | None) -> str:
    """Wrap the generated function, so that it alone is seen from outside."""
    if living is None:
        return ""
    named = re.search(r"^function (\w+)\(", living.text, re.MULTILINE)
    if named is None or "</" in living.text or "<!--" in living.text:
        return ""  # nothing the generator writes; a page that might break is not worth the risk
    return f'"use strict";\nwindow.recompute = (() => {{\n{living.text}\nreturn {named[1]};\n}})();'


def _picture(scene: Scene) -> str:
    """Draw the scene without a style of its own: the page has one, with both colour schemes."""
    drawn = svg.draw(scene)
    drawn = re.sub(r"<style>.*?</style>\n", "", drawn, count=1, flags=re.DOTALL)
    return drawn.replace(' style="max-width:100%;height:auto"', "", 1)


def _policy(scripts: Sequence[str], style: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@lru_cache(maxsize=8)
def _asset(name: str) -> str:
    """Read a part of the page that is kept beside this room; `program` is all its scripts."""
    folder = files("corrente.views") / "assets"
    if name != "program":
        return (folder / name).read_text(encoding="utf-8")
    parts = [(folder / f"{part}.js").read_text(encoding="utf-8") for part in SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();"
