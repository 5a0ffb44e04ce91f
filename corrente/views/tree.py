"""A large run as a tree of calls, lines and gates, sorted by where the gradient is lost."""

from __future__ import annotations

import math
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TextIO

import numpy as np

from corrente.circuit import Composed, Run, Step
from corrente.figures import clip, number, summarise
from corrente.places import Where, locate, name_at
from corrente.scene import sentences
from corrente.scene.groups import short
from corrente.scene.outline import MOST as BOXES
from corrente.scene.outline import outline
from corrente.scene.picture import columns
from corrente.words import Says

MOST = 40
"""A picture of more gates than this is read with difficulty."""

ROWS, CHILDREN = 60, 12
_DEAD = math.log(1e-3)  # what a gate that sends nothing on counts for
_MANY = 0.5  # this share of new zeros is worth a word
_LEAST = 0.99  # a factor above this is no loss to speak of
_SPARKS = "▁▂▃▄▅▆▇█"
_WIDEST, _NARROWEST = 56, 12

_TITLE = Says("Circuit of {0}: {1}", "Circuito de {0}: {1}")
_NO_GRADIENT = Says("there is no gradient here", "não há gradiente aqui")
_KEY = Says(
    "Sorted by where the gradient is lost. ×: how much of the gradient that reaches it a gate "
    "sends on; ∂: the norm of the gradient, where it arrives → where it leaves.",
    "Ordenado por onde o gradiente se perde. ×: quanto do gradiente que chega a ela uma porta "
    "passa adiante; ∂: a norma do gradiente, onde chega → de onde sai.",
)
_WORST = Says(
    "Most is lost at {0}: × {1} at each of {2} gates.",
    "A maior perda está em {0}: × {1} em cada uma de {2} portas.",
)
_WORST_ONE = Says("Most is lost at {0}: × {1}.", "A maior perda está em {0}: × {1}.")
_KEPT = Says(
    "The gradient is lost nowhere on its way.", "O gradiente não se perde em nenhum lugar."
)
_DYING = Says("{0} of {1} send nothing", "{0} de {1} não passam nada")
_BROKEN = Says("The gradient stops being finite at {0}.", "O gradiente deixa de ser finito em {0}.")
_QUIET = Says("Without a gradient: {0}.", "Sem gradiente: {0}.")
_ZEROS = Says("{0} % zeros", "{0} % zeros")
_MORE = Says("… {0} more", "… mais {0}")


class Passage(NamedTuple):
    """What one step does to the gradient: norms before and after, and the share of new zeros."""

    step: int
    arrived: float
    sent: float
    zeros: float

    @property
    def finite(self) -> bool:
        """Whether the gradient is finite on both sides."""
        return math.isfinite(self.arrived) and math.isfinite(self.sent)

    @property
    def dead(self) -> bool:
        """Whether a gradient arrives and nothing is sent on."""
        return self.arrived > 0 and self.sent == 0

    @property
    def logarithm(self) -> float:
        """The logarithm of the factor by which the gradient grows; 0 where none arrives."""
        if self.dead or not self.arrived:
            return _DEAD if self.dead else 0.0
        return math.log(self.sent / self.arrived)


@dataclass
class Branch:
    """A call, a line or a gate, with all its steps that the gradient passed, in order."""

    label: str
    place: str = ""
    children: dict[Hashable, Branch] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)

    @property
    def loss(self) -> float:
        """What to sort by: least where most is lost; not finite comes first of all."""
        if not all(passage.finite for passage in self.passages):
            return -math.inf
        return sum(passage.logarithm for passage in self.passages)

    @property
    def factor(self) -> float | None:
        """The typical factor of one gate that sends something on; None where nothing arrives."""
        reached = [passage for passage in self.passages if passage.arrived and passage.finite]
        living = [passage.logarithm for passage in reached if not passage.dead]
        if not living:
            return 0.0 if reached else None
        return math.exp(sum(living) / len(living))


class Row(NamedTuple):
    """One line of the tree: what it is, and its figures in columns."""

    label: str
    cells: tuple[str, ...]
    alarm: bool = False


def suits(run: Run, fold: str = "auto") -> bool:
    """Tell whether a run is better read as a tree: more than `MOST` gates would be drawn."""
    count = len(run.circuit.steps)
    if fold != "auto" or count <= MOST or not run.contributions:
        return False
    if count > BOXES:
        return True
    return sum(bool(part.steps) for part in outline(run, fold=fold).parts) > MOST


def draw(
    run: Run,
    lang: str = "en",
    *,
    width: int | None = None,
    unicode: bool = True,
    colour: bool = False,
) -> str:
    """Print a run as a tree: calls hold lines, and lines gates; repeated ones are one branch.

    The branches are sorted by the gradient that is lost in them, the greatest loss first. At most
    `ROWS` lines; what is left out is counted. `unicode=False` keeps to ASCII; `colour=True` adds
    ANSI colours, which only repeat what stands there.
    """
    root, quiet = grow(run)
    rows = list(_rows(root, lang))
    lines = [_title(run, lang), *_wrapped(_KEY.into(lang), width or 100)]
    lines += ["", *_table(rows[:ROWS], width, colour)]
    if len(rows) > ROWS:
        lines.append(_MORE.fill(len(rows) - ROWS).into(lang))
    lines.append("")
    if root.passages:
        lines.append(_worst(root, lang))
    if quiet:
        lines.append(_QUIET.fill(sentences.counted(quiet, sentences.GATES)).into(lang))
    text = "\n".join(line.rstrip() for line in lines)
    return text if unicode else _ascii(text)


def show(run: Run, lang: str = "en", *, file: TextIO | None = None) -> None:
    """Print the tree to a terminal or file, as suits it: see `text.show`."""
    out = file or sys.stdout
    terminal = bool(getattr(out, "isatty", bool)())
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((100, 24)).columns
    encoding = getattr(out, "encoding", None) or "ascii"
    try:
        "├└│─×∂→…▁█".encode(encoding)
        unicode = True
    except (UnicodeEncodeError, LookupError):
        unicode = False
    print(draw(run, lang, width=width, unicode=unicode, colour=colour), file=file)


# --- what happens to the gradient ----------------------------------------------------------------


def passages(run: Run) -> Iterator[Passage]:
    """Measure every step that the backward pass went through, in the order of the steps."""
    data = set(run.circuit.ins) - run.parameters
    sent: dict[int, list[Any]] = {}
    for wire, parts in run.contributions.items():
        for part in parts if wire not in data else ():
            sent.setdefault(part.step, []).append(part.value)
    for k in sorted(sent):
        reached = [run.gradients.get(out) for out in run.circuit.steps[k].outs]
        upstream = [each for each in reached if each is not None]
        arrived = math.hypot(*map(_norm, upstream))
        # the larger share: a gate that passes one gradient to two inputs has not doubled it
        yield Passage(k, arrived, max(map(_norm, sent[k])), _new_zeros(upstream, sent[k]))


def _norm(value: Any) -> float:
    if isinstance(value, float):
        return abs(value)
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.ravel(value)))


def _new_zeros(upstream: Sequence[Any], sent: Sequence[Any]) -> float:
    """Return the share of the elements that are nought in what is sent and were not before."""
    if len(upstream) != 1 or np.size(upstream[0]) < 2:
        return 0.0
    same = [value for value in sent if np.shape(value) == np.shape(upstream[0])]
    before = np.count_nonzero(upstream[0])
    if not same or not before:
        return 0.0
    return 1.0 - max(np.count_nonzero(value) for value in same) / before


# --- the tree ------------------------------------------------------------------------------------


def grow(run: Run) -> tuple[Branch, int]:
    """Grow the tree of a run; also count the steps that the gradient does not reach."""
    root = Branch(run.name)
    count = 0
    for passage in passages(run):
        count += 1
        branch = root
        branch.passages.append(passage)
        for key, describe in _path(run, run.circuit.steps[passage.step]):
            child = branch.children.get(key)
            if child is None:
                child = branch.children[key] = Branch(*describe())
            branch = child
            branch.passages.append(passage)
    return root, len(run.circuit.steps) - count


Described = Callable[[], tuple[str, str]]


def _path(run: Run, step: Step) -> Iterator[tuple[Hashable, Described]]:
    """Go through the calls that lead to a step, and the step: a key, and what is said of it.

    It is said once for each branch, because looking a line up takes its time.
    """
    where, circuit = step.where, run.circuit
    if where is None:
        yield step.outs[0], lambda: (f"{circuit.operand(step.outs[0])} = {circuit.code(step)}", "")
        return
    calls = [frame for frame in step.stack if not isinstance(frame, Composed)]
    inner = [*(code for code, _ in calls[1:]), where[0]]
    for call, code in zip(calls, inner, strict=True) if calls else ():
        yield call, lambda call=call, code=code: (f"{code.co_name}()", _place(call))
    marks = [frame.name for frame in step.stack if isinstance(frame, Composed)]
    for mark in marks:
        yield (mark, where), lambda mark=mark: (short(mark), _place(where))
    if marks:
        yield (where, step.gate.name), lambda: (step.gate.name, "")
    else:
        yield where, lambda: (_written(where) or step.gate.name, _place(where))


def _place(where: Where) -> str:
    place = locate(where)
    return f"{os.path.basename(place.file)}:{place.line}"


def _written(where: Where) -> str:
    """Write a line's expression as the user did, with the name it is given."""
    name, text = name_at(where), locate(where).text
    if not text or name is None or text.startswith(f"{name} "):
        return text
    return f"{name} = {text}"


# --- its rows ------------------------------------------------------------------------------------


def _rows(root: Branch, lang: str) -> Iterator[Row]:
    """Write the branches, the greatest loss first; a stack instead of recursion: calls nest."""
    waiting: list[tuple[Branch | int, str, bool]] = [(root, "", True)]
    while waiting:
        branch, margin, last = waiting.pop()
        stem = "" if branch is root else margin + ("└─ " if last else "├─ ")
        if isinstance(branch, int):
            yield Row(stem + _MORE.fill(branch).into(lang), ("",) * 5)
            continue
        yield _row(branch, stem, lang)
        below = "" if branch is root else margin + ("   " if last else "│  ")
        children: list[Branch | int] = list(_sorted(branch))
        if len(children) > CHILDREN:
            children = [*children[:CHILDREN], len(children) - CHILDREN]
        for k, child in reversed(list(enumerate(children))):
            waiting.append((child, below, k == len(children) - 1))


def _sorted(branch: Branch) -> list[Branch]:
    return sorted(branch.children.values(), key=lambda child: child.loss)


def _row(branch: Branch, stem: str, lang: str) -> Row:
    steps, count = branch.passages, len(branch.passages)
    gradient = _NO_GRADIENT.into(lang)
    if steps:
        gradient = f"∂ {number(steps[-1].arrived, 2)} → {number(steps[0].sent, 2)}"
    factor, notes = "", []
    if steps and not branch.children:
        found = branch.factor
        factor = "" if found is None else f"× {number(found, 2)}"
        notes = list(_notes(steps, lang))
    times = sentences.counted(count, sentences.GATES).into(lang) if count > 1 else ""
    cells = (branch.place, times, factor, gradient, ", ".join(notes))
    return Row(stem + branch.label, cells, branch.loss == -math.inf)


def _notes(steps: Sequence[Passage], lang: str) -> Iterator[str]:
    """Say what the numbers of one line's gates do not: their course, and what dies."""
    if len(steps) >= len(_SPARKS):
        yield _spark(steps)
    dead = sum(passage.dead for passage in steps)
    if 0 < dead < len(steps):
        yield _DYING.fill(dead, len(steps)).into(lang)
    zeros = max(passage.zeros for passage in steps)
    if _MANY <= zeros < 1:
        yield _ZEROS.fill(round(100 * zeros)).into(lang)


def _spark(steps: Sequence[Passage], most: int = 16) -> str:
    """Draw the norm of what arrives at each of many steps, on a logarithmic scale."""
    chosen = [steps[k * len(steps) // most] for k in range(most)] if len(steps) > most else steps
    logs = [math.log(p.arrived) if 0 < p.arrived < math.inf else math.nan for p in chosen]
    finite = [each for each in logs if each == each]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(_SPARKS) - 1) / (high - low) if high - low > 1e-9 else 0.0
    return "".join("·" if x != x else _SPARKS[round((x - low) * scale)] for x in logs)


def _table(rows: Sequence[Row], width: int | None, colour: bool) -> Iterator[str]:
    """Set rows in columns no wider than `width`: the notes give way first, then the labels."""
    *widths, notes = [max(columns(row.cells[k]) for row in rows) for k in range(5)]
    rest = sum(wide + 2 for wide in widths if wide)
    room = min(max(columns(row.label) for row in rows), _WIDEST)
    if width is not None:
        left = width - rest - room - 2
        notes = min(notes, left) if left >= len(_SPARKS) else 0
        room = max(min(room, width - rest - (notes + 2 if notes else 0)), _NARROWEST)
    for row in rows:
        label = _padded(row.label, room)
        cells = [
            _padded(cell, wide) for cell, wide in zip(row.cells, [*widths, notes], strict=True)
        ]
        if colour:
            label = f"\x1b[1m{label}\x1b[0m" if row.alarm else label
            cells = [f"\x1b[31m{each}\x1b[0m" if "∂" in each else each for each in cells]
        yield "  ".join([label, *(cell for cell in cells if cell)])


def _padded(text: str, width: int) -> str:
    text = clip(text, width) if width else ""
    return text + " " * (width - columns(text))


# --- words ---------------------------------------------------------------------------------------


def _title(run: Run, lang: str) -> str:
    circuit = run.circuit
    gates = sentences.counted(len(circuit.steps), sentences.GATES)
    title = _TITLE.fill(run.name, gates).into(lang)
    values = ", ".join(str(summarise(run.values[out])) for out in circuit.outs[:3])
    return f"{title} → {values}" if values else title


def _worst(root: Branch, lang: str) -> str:
    """Name the branch without children where most is lost."""
    branch = root
    while branch.children:
        branch = _sorted(branch)[0]
    at = f"{branch.label} ({branch.place})" if branch.place else branch.label
    if branch.loss == -math.inf:
        return _BROKEN.fill(at).into(lang)
    count, factor = len(branch.passages), branch.factor
    dead = sum(passage.dead for passage in branch.passages)
    if factor is None or (factor > _LEAST and not dead):
        return _KEPT.into(lang)
    says = _WORST_ONE if count == 1 else _WORST
    return says.fill(at, number(factor, 2), count).into(lang)


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


_PLAIN = str.maketrans(
    {
        "├": "|", "└": "`", "│": "|", "─": "-", "×": "x", "∂": "d", "→": ">", "…": "~",
        **dict(zip(_SPARKS, "_.,-=+*#", strict=True)),
        "·": ".", "≤": "<", "≡": "=", "∅": "0", "−": "-",
    }
)  # fmt: skip


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(
        c if c.isascii() else "?" for c in plain if c.isascii() or not unicodedata.combining(c)
    )
