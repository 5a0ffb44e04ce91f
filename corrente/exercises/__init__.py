"""Exercises: a circuit of small numbers with blanks to fill, forward first and then backward."""

from __future__ import annotations

from corrente.exercises.answers import read, right, write
from corrente.exercises.blanks import Blank, Exercise, exercise
from corrente.exercises.command import command
from corrente.exercises.dialogue import ask
from corrente.exercises.plans import LEVELS
from corrente.exercises.sheets import plain_data, sheet
from corrente.exercises.workbook import write_page

__all__ = [
    "LEVELS",
    "Blank",
    "Exercise",
    "ask",
    "command",
    "exercise",
    "plain_data",
    "read",
    "right",
    "sheet",
    "write",
    "write_page",
]
