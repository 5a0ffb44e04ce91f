"""Sentences in two languages, each translation beside its original."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

LANGUAGES = ("en", "pt")


@runtime_checkable
class Spoken(Protocol):
    """Whatever can be said in either language: a sentence, a place in the source."""

    def into(self, lang: str) -> str:
        """Return it in one language, "en" or "pt"."""
        ...


class Says(NamedTuple):
    """One sentence in English and in Portuguese; `{0}`, `{1}` … stand for what it speaks of.

    >>> Says(en="adds {0} and {1}", pt="soma {0} e {1}").fill("x", "y").into("pt")
    'soma x e y'
    """

    en: str
    pt: str

    def fill(self, *things: Any, **named: Any) -> Says:
        """Put things in the places of both languages; a thing may itself be Spoken."""
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
            # whoever asks for a language that is not here reads one of these
            known = ", ".join(LANGUAGES)
            raise ValueError(
                f"lang must be one of {known}, not {lang!r} "
                f"(lang deve ser um destes: {known}; não {lang!r})"
            )
        return self[LANGUAGES.index(lang)]


def _in(language: str, thing: Any) -> Any:
    return thing.into(language) if isinstance(thing, Spoken) else thing


def plain(text: str) -> Says:
    """Say the same in both languages: a name, a number, a piece of code."""
    return Says(text, text)
