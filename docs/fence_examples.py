"""Fence the doctests of docstrings, so that the pages show them as code and not as quotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import griffe


class FenceExamples(griffe.Extension):
    """Put every run of doctest lines between fences."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one module, class or function."""
        if obj.docstring is not None:
            obj.docstring.value = "\n\n".join(_fenced(obj.docstring.value.split("\n\n")))


def _fenced(paragraphs: list[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        example = paragraph.lstrip().startswith(">>>")
        yield f"```pycon\n{paragraph}\n```" if example else paragraph
