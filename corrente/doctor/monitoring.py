"""A doctor in attendance: a training's gradient looked at every few epochs, on a small sample."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from corrente.doctor.diagnosis import Diagnosis
from corrente.doctor.examination import glance
from corrente.doctor.findings import Effect, Finding
from corrente.errors import BadValue
from corrente.figures import number
from corrente.training.batches import source
from corrente.training.history import Record
from corrente.training.stepping import takes_generator
from corrente.words import Says, plain

USUAL = 1e-3
"""Length of a step beside that of the weights: the rule of thumb."""
LEAP = 0.3
"""From here on steps are too long, if the loss does not fall."""
CRAWL = 1e-5
"""Up to here they are too short, if the loss has never moved."""
MOVED = 0.01
"""Part of the loss that must be gone for it to have moved."""
LOOKS = 3
"""Looks in a row that must show it: weights that start at nought leap from there."""


class IllnessWarning(UserWarning):
    """A training fell ill: its `epoch`, and the `finding` with its code, line and advice.

    The text is in the monitor's language; `says` has both.
    """

    def __init__(self, epoch: int, finding: Finding, lang: str = "en") -> None:
        self.epoch, self.finding = epoch, finding
        self.code, self.line = finding.code, finding.line
        where = finding.where
        place = plain("") if where is None else Says(where.into("en"), where.into("pt"))
        self.says = Says(
            "epoch {0}: {1}: {2} {3} Try: {4}", "época {0}: {1}: {2} {3} Tente: {4}"
        ).fill(epoch, finding.code, finding.says, place, finding.advice)
        super().__init__(self.says.into(lang))


class Seen(NamedTuple):
    """A finding of a training, the epoch that first showed it, and the one that was free of it."""

    finding: Finding
    since: int
    until: int | None = None

    @property
    def says(self) -> Says:
        """Say when it was there, what it was, and where."""
        when = (
            Says("from epoch {0} on", "da época {0} em diante").fill(self.since)
            if self.until is None
            else Says("epochs {0} to {1}", "épocas {0} a {1}").fill(self.since, self.until)
        )
        line = self.finding.line
        at = Says("", "") if line is None else Says(", line {0}", ", linha {0}").fill(line)
        return Says("{0}, {1}{2}: {3}", "{0}, {1}{2}: {3}").fill(
            self.finding.code, when, at, self.finding.says
        )


@dataclass(eq=False)
class Monitor:
    """What `monitor` made: the callback of a training, and what it has seen.

    `diagnoses` are by epoch, `findings` in the order in which they came up.
    """

    loss: Callable[..., Any]
    sample: tuple[Any, ...]
    every: int = 1
    stop: bool = False
    lang: str = "en"
    diagnoses: dict[int, Diagnosis] = field(default_factory=dict)
    _seen: dict[Any, Seen] = field(default_factory=dict)
    _records: list[Record] = field(default_factory=list)

    @property
    def findings(self) -> tuple[Seen, ...]:
        """All that was found, the earliest first."""
        return tuple(self._seen.values())

    @property
    def ok(self) -> bool:
        """Tell whether nothing was ever ill."""
        return not self._seen

    def __call__(self, record: Record, params: Any) -> bool:
        """Look where it is time to; return True where the training is to stop."""
        if (record.epoch - 1) % self.every:
            return False
        self._records.append(record)
        return self.look(record.epoch, params)

    def look(self, epoch: int, params: Any) -> bool:
        """Diagnose these parameters on the sample, whatever epoch it is; return as a call does."""
        return self._keep(epoch, glance(self.loss, params, *self.sample))

    def exploded(self, epoch: int, params: Any, *batch: Any) -> bool:
        """Diagnose the batch on which the loss became NaN or infinite."""
        return self._keep(epoch, glance(self.loss, params, *batch))

    def _keep(self, epoch: int, seen: Diagnosis) -> bool:
        diagnosis = replace(seen, findings=(*seen.findings, *_pace(self._records)))
        self.diagnoses[epoch] = diagnosis
        now = {(each.code, each.where or each.wire): each for each in diagnosis.findings}
        for key, known in self._seen.items():
            if key in now:
                self._seen[key] = known._replace(until=None)
            elif known.until is None:
                self._seen[key] = known._replace(until=epoch)
        fresh = {key: finding for key, finding in now.items() if key not in self._seen}
        for key, finding in fresh.items():
            self._seen[key] = Seen(finding, epoch)
            warnings.warn(IllnessWarning(epoch, finding, self.lang), stacklevel=4)
        return self.stop and bool(fresh)

    @property
    def says(self) -> Says:
        """Say the whole in one sentence."""
        looks = len(self.diagnoses)
        if self.ok:
            return Says("healthy at {0} looks.", "saudável em {0} exames.").fill(looks)
        return Says("{0} finding(s) at {1} looks.", "{0} achado(s) em {1} exames.").fill(
            len(self._seen), looks
        )

    def render(self, lang: str = "en") -> str:
        """Return what was seen as text."""
        return "\n".join(each.says.into(lang) for each in (self, *self.findings))

    def __str__(self) -> str:
        return self.render()


def monitor(
    loss: Callable[..., Any],
    *data: Any,
    every: int = 1,
    stop: bool = False,
    rows: int = 128,
    seed: int = 0,
    lang: str = "en",
) -> Monitor:
    """Make a callback for `train` that diagnoses the gradient every few epochs.

    `loss` and `data` are the training's: `train(loss, params, (X, y), callback=monitor(loss, X,
    y))`. It looks after the first epoch and each `every` epochs after that, at one fixed sample of
    `rows` rows (drawn by `seed`), so a look costs a few gradients of a batch. Each new finding is
    warned of once, with IllnessWarning in the language `lang`; with `stop` it ends the training.
    What costs descents (columns, rows, rates) is for `diagnose`; of the rate it tells whether the
    steps are far longer or shorter beside the weights than the usual 10⁻³, and do not help.
    Raises BadValue where `every` or `rows` is below 1.

    >>> import numpy as np, corrente as co
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> loss = lambda w, x, y: np.mean((x @ w - y) ** 2)
    >>> watching = monitor(loss, X, X @ [2.0, -1.0], every=5)
    >>> trained = co.train(loss, np.zeros(2), (X, X @ [2.0, -1.0]), epochs=20, callback=watching)
    >>> print(watching)
    healthy at 4 looks.
    """
    for name, value in (("every", every), ("rows", rows)):
        if value < 1:
            raise BadValue(
                Says("{0}={1} makes no sense here.", "{0}={1} não faz sentido aqui.").fill(
                    name, value
                ),
                Says("give a whole number from 1 on.", "dê um número inteiro a partir de 1."),
            )
    whole = source(data[0] if len(data) == 1 else data)
    sample = next(iter(whole.read(rows, np.random.default_rng(seed))))
    return Monitor(_steady(loss, seed), sample, every, stop, lang)


def _steady(loss: Callable[..., Any], seed: int) -> Callable[..., Any]:
    """Let a loss that draws draw the same each time: looks are to be compared."""
    if not takes_generator(loss):
        return loss

    def steady(params: Any, *batch: Any) -> Any:
        return loss(params, *batch, rng=np.random.default_rng(seed))

    steady.__name__ = getattr(loss, "__name__", "loss")
    return steady


def _pace(records: list[Record]) -> Iterator[Finding]:
    """Judge the steps beside the weights' length, at the last looks or at all of them."""
    if len(records) < LOOKS:
        return
    first, last, late = records[0], records[-1], records[-LOOKS:]
    if min(record.update_ratio for record in late) > LEAP and last.loss >= late[0].loss:
        yield _wrong(last.update_ratio, _HIGH)
    still = first.loss - last.loss < MOVED * abs(first.loss)
    if still and 0 < max(record.update_ratio for record in records) < CRAWL:
        yield _wrong(last.update_ratio, _LOW)


def _wrong(ratio: float, says: Says) -> Finding:
    times = USUAL / ratio
    advice = Says(
        "take {0} times the rate, or let co.find_rate choose.",
        "use {0} vezes a taxa, ou deixe co.find_rate escolher.",
    ).fill(number(times, 1))
    what = Says("step / weights, at that rate", "passo / pesos, a essa taxa")
    effects = (Effect(what, ratio, ratio * times),)
    return Finding("rate", "", None, ratio, says.fill(number(ratio, 2), USUAL), advice, effects)


_HIGH = Says(
    "the rate is too high: a step changes the weights by {0} of their length, where {1} is usual, "
    "and the loss does not fall.",
    "a taxa é alta demais: um passo muda os pesos em {0} do seu comprimento, quando o usual é {1}, "
    "e a perda não cai.",
)
_LOW = Says(
    "the rate is too low: a step changes the weights by {0} of their length, where {1} is usual, "
    "and the loss has hardly moved.",
    "a taxa é baixa demais: um passo muda os pesos em {0} do seu comprimento, quando o usual é "
    "{1}, e a perda mal se moveu.",
)
