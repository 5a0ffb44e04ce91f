"""The plan of memory: when each wire is born and dies; what to keep, and what to compute again.

A program is rehearsed step by step, without its numbers, under a budget. Where a value finds no
room, one that is cheap to compute again, large, and not needed for long gives way to it.
"""

from corrente.memory.costs import cost, reduced
from corrente.memory.planning import Plan, TooLittleMemory, Use, least, plan
from corrente.memory.report import Report
from corrente.memory.sizes import as_text, parse
from corrente.memory.survey import result_of

__all__ = [
    "Plan",
    "Report",
    "TooLittleMemory",
    "Use",
    "as_text",
    "cost",
    "least",
    "parse",
    "plan",
    "reduced",
    "result_of",
]
