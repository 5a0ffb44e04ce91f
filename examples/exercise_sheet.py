"""Sheets for a class: one exercise a student, each with its own numbers, and the teacher's key."""

from pathlib import Path

import numpy as np

import corrente as co
from corrente.exercises import exercise, sheet, write

STUDENTS = ["Ana", "Bruno", "Clara"]

key = []
for seed, student in enumerate(STUDENTS):
    task = exercise(level=2, seed=seed)
    Path(f"{student}.html").write_text(sheet(task, ".html", "pt"), encoding="utf-8")
    answers = ", ".join(f"({blank.number}) {write(blank.answer)}" for blank in task.blanks)
    key.append(f"{student}: {'; '.join(map(str, task.plan.lines))}\n  {answers}")
print("\n".join(key))

# the same seed gives the same exercise: an answer can be checked without keeping the sheet
task = exercise(level=1, seed=0)
print(sheet(task, ".txt", solution=True))
assert [str(line) for line in task.plan.lines] == ["q = y * z", "f = x + q"]
assert task.check(1, "6,0") is True
assert task.check(1, "12/2") is True
assert task.check(1, "-6") is False


def f(x, y, z):
    q = y * z
    return x + q


point = tuple(task.plan.inputs.values())
gradients = {blank.wire: blank.answer for blank in task.blanks if blank.kind == "gradient"}
assert np.allclose(co.grad(f, (0, 1, 2))(*point), [gradients[wire] for wire in range(3)])
co.check_grads(f, point)
