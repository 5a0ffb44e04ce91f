"""The help names the same commands and options in both languages."""

from __future__ import annotations

import re

from corrente.cli import COMMANDS
from corrente.usage import HELP


def test_both_languages_name_the_same_options_and_every_command():
    english, portuguese = (set(re.findall(r"--[a-z]+", text)) for text in (HELP.en, HELP.pt))
    assert english == portuguese
    for name in (*COMMANDS, "view", "diagnose"):
        assert name in HELP.en
        assert name in HELP.pt


def test_it_fits_a_terminal():
    assert max(map(len, [*HELP.en.splitlines(), *HELP.pt.splitlines()])) <= 100
