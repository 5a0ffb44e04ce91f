"""Check hand-written backward passes: which line is the first wrong, and which mistake it is."""

from pathlib import Path

import numpy as np

from corrente.homework import check_backward
from corrente.homework.files import check_file

# every backward pass in a file; its code RUNS, in a process of its own
verdicts = check_file(Path(__file__).with_name("homework_layers.py"))
for verdict in verdicts:
    print(verdict, end="\n\n")
assert [verdict.ok for verdict in verdicts] == [False, False, False, True]
assert [verdict.mistake for verdict in verdicts] == ["axis", "local", "accumulate", None]
assert [verdict.variable for verdict in verdicts[:3]] == ["db", "dx", "dx"]


# or two functions where they stand
def norm(x):
    return np.sqrt(np.sum(x**2))


def norm_backward(dout, x):
    return dout * x


verdict = check_backward(norm, norm_backward, np.array([3.0, 4.0]))
print(verdict.render("pt"))
assert verdict.mistake == "local"
