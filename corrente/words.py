"""Sentences in two languages, each translation beside its original."""

from __future__ import annotations

from typing import Any, NamedTuple

LANGUAGES = ("en", "pt")


class Says(NamedTuple):
    """One sentence in English and in Portuguese; `{0}`, `{1}` … stand for what it speaks of.

    >>> Says(en="adds {0} and {1}", pt="soma {0} e {1}").fill("x", "y").into("pt")
    'soma x e y'
    """

    en: str
    pt: str

    def fill(self, *things: Any, **named: Any) -> Says:
        """Put things in the places of both languages; a thing may itself be a Says."""
        return Says(
            *(
                text.format(
                    *(_in(language, thing) for thing in things),
                    **{name: _in(language, thing) for name, thing in named.items()},
                )
                for language, text in zip(LANGUAGES, self, strict=True)
            )
        )

    def into(self, lang: str) -> str:
        """Return the sentence in one language, "en" or "pt"."""
        if lang not in LANGUAGES:
            raise ValueError(f"lang must be one of {', '.join(LANGUAGES)}, not {lang!r}")
        return self[LANGUAGES.index(lang)]


def _in(language: str, thing: Any) -> Any:
    return thing.into(language) if isinstance(thing, Says) else thing


def plain(text: str) -> Says:
    """Say the same in both languages: a name, a number, a piece of code."""
    return Says(text, text)
