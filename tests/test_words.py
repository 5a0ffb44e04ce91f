"""Sentences stand side by side in both languages, and are filled alike."""

from __future__ import annotations

import pytest

from corrente.places import Place
from corrente.words import LANGUAGES, Says, plain

ADDS = Says(en="adds {0} and {1}", pt="soma {0} e {1}")


def test_every_language_is_a_field():
    assert Says._fields == LANGUAGES


def test_both_languages_are_required():
    with pytest.raises(TypeError, match="pt"):
        Says(en="adds")  # type: ignore[call-arg]


@pytest.mark.parametrize(("lang", "sentence"), [("en", "adds x and 2"), ("pt", "soma x e 2")])
def test_fill_and_into(lang: str, sentence: str):
    assert ADDS.fill("x", 2).into(lang) == sentence


def test_a_filling_may_itself_be_said_in_two_languages():
    gate = Says(en="the gate {name}", pt="a porta {name}")
    filled = ADDS.fill(gate.fill(name="exp"), Says("a wire", "um fio"))
    assert filled == ("adds the gate exp and a wire", "soma a porta exp e um fio")


def test_a_filling_may_be_a_place_in_the_source():
    place = Place("<cell>", 7, 7, 0, 5, "f", "x + y")
    assert Says("at {0}", "em {0}").fill(place) == ("at <cell>, line 7", "em <cell>, linha 7")


def test_filling_changes_nothing_but_the_copy():
    before = tuple(ADDS)
    ADDS.fill("x", "y")
    assert tuple(ADDS) == before


def test_braces_in_a_filling_stay():
    assert Says("{0}", "{0}").fill("p['{0}']").into("pt") == "p['{0}']"


def test_a_missing_filling_is_an_error():
    with pytest.raises(IndexError):
        ADDS.fill("x")


@pytest.mark.parametrize("lang", ["fr", "EN", "", "pt-br"])
def test_an_unknown_language_is_refused_and_the_known_ones_named(lang: str):
    with pytest.raises(ValueError, match=f"en, pt, not '{lang}'.*um destes: en, pt; não '{lang}'"):
        ADDS.into(lang)


def test_plain_says_the_same_in_both():
    assert plain("W1") == Says("W1", "W1")
