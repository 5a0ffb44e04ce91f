"""Homework: hand-written backward passes, checked line by line."""

from corrente.homework.asking import check_backward
from corrente.homework.verdicts import Verdict

__all__ = ["Verdict", "check_backward"]
