"""One file for a whole page: what may run in it, how data stands in it, and its drawings."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from corrente.scene import Scene
from corrente.views import svg

TONGUES = {"en": "en", "pt": "pt-BR"}
"""How a page says which language it is in."""


def enclose(template: str, fields: Mapping[str, str], scripts: Sequence[str], style: str) -> str:
    """Fill a page's template, with its scripts and its style, and forbid it everything else.

    Nothing is fetched from anywhere: the page's own rules allow only what was written into it.
    The template has places for `policy`, `style`, `scripts` and for each of `fields`.

    >>> enclose("<p>{{text}}</p>{{scripts}}", {"text": "1 &lt; 2"}, ["go()"], "")
    '<p>1 &lt; 2</p><script>go()</script>\\n'
    """
    whole = {
        **fields,
        "policy": _policy(scripts, style),
        "style": style,
        "scripts": "".join(f"<script>{text}</script>\n" for text in scripts),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: whole[found[1]], template)


def embedded(data: Any) -> str:
    """Write data as JSON that cannot end the element it stands in.

    >>> embedded("</script>")
    '"\\\\u003c/script>"'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def picture(scene: Scene) -> str:
    """Draw a scene without a style of its own: the page has one, with both colour schemes."""
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
