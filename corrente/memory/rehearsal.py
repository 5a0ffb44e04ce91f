"""The rehearsal: a circuit's steps one by one under a budget, without their numbers.

What finds no room is given up and made again when it is read: the buffer that costs least to make
again for each byte and each step for which it would lie idle. What was given up in a row is made
again in a row, so a buffer between two that are gone counts for all three.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from corrente.blocks import fused
from corrente.memory.costs import may_run_again, reduced, seconds
from corrente.memory.survey import Survey

_OFTEN = 20
"""Runs of a step, on average, from which on a plan is given up."""
_FAR = 64
"""Values that died by themselves which are looked at for what it costs to make one again."""


class Turn(NamedTuple):
    """A run of a step, for some of its outputs."""

    step: int
    outs: tuple[int, ...]


class Part(NamedTuple):
    """What it takes to run a step for some of its outputs."""

    ins: tuple[int, ...]
    cost: float


class TooDear(Exception):
    """The budget makes the steps run too often."""


class Rehearsal:
    """Runs through a circuit under a budget and notes the order in which the steps must run."""

    def __init__(self, survey: Survey, budget: float, most: float) -> None:
        self.survey, self.budget, self.most = survey, budget, most
        self.order: list[Turn] = []
        self.extra = 0.0
        """Seconds spent on running steps again."""
        self.again: Counter[int] = Counter()
        """Buffer → how often it was made again."""
        self.starts: set[int] = set()
        """Buffers from which others were made again."""
        self.peak = self.peak_at = 0
        self._now = self._used = 0
        self._there: set[int] = set()
        self._pending: Counter[int] = Counter()
        """Buffer → the turns that are about to read it: until then it stays."""
        self._queue: list[tuple[float, int]] = []
        self._gone: dict[int, int] = {}
        """Buffer given up → the group of those that would be made again together."""
        self._own: dict[int, float] = {}
        self._follow: dict[int, set[int]] = defaultdict(set)
        """Buffer → those given up that would be made from it."""
        self._group: list[int] = []
        self._cost: list[float] = []
        self._parts: dict[Turn, Part] = {}

    def run(self) -> Rehearsal:
        """Go through all steps; raise TooDear if they run too often."""
        steps = self.survey.circuit.steps
        for self._now in range(len(steps)):
            turns = self._turns(self._now)
            for turn in turns:
                self._pending.update(self._buffers(turn))
            for turn in turns[:-1]:
                self._perform(turn, again=True)
            self._perform(turns[-1], again=False)
            if self.extra > self.most or len(self.order) > _OFTEN * len(steps) + 1000:
                raise TooDear
        return self

    # --- what must run -------------------------------------------------------------------------

    def part(self, turn: Turn) -> Part:
        """Return what a turn reads and costs."""
        found = self._parts.get(turn)
        if found is None:
            circuit = self.survey.circuit
            step = reduced(circuit.steps[turn.step], turn.outs)
            looks = self.survey.root[turn.outs[0]] != turn.outs[0]
            cost = 0.0 if looks else seconds(circuit, step)
            found = self._parts[turn] = Part(step.ins, cost)
        return found

    def _buffers(self, turn: Turn) -> set[int]:
        return {self.survey.root[w] for w in self.part(turn).ins}

    def _is_there(self, wire: int) -> bool:
        return wire in self._there or wire not in self.survey.circuit.makers

    def _turns(self, k: int) -> list[Turn]:
        """Return the turn of a step, after those that make again what it needs."""
        circuit = self.survey.circuit
        this = Turn(k, circuit.steps[k].outs)
        wanted: dict[int, set[int]] = {}
        asked = list(self.part(this).ins)
        while asked:
            w = asked.pop()
            if self._is_there(w):
                continue
            maker = circuit.makers[w]
            outs = wanted.setdefault(maker, set())
            if w not in outs:
                outs.add(w)
                asked.extend(self.part(Turn(maker, (w,))).ins)
        turns = [Turn(n, self._ordered(n, outs)) for n, outs in sorted(wanted.items())]
        return [*turns, this]

    def _ordered(self, k: int, outs: Iterable[int]) -> tuple[int, ...]:
        chosen = set(outs)
        return tuple(w for w in self.survey.circuit.steps[k].outs if w in chosen)

    # --- running a step ------------------------------------------------------------------------

    def _perform(self, turn: Turn, again: bool) -> None:
        survey, step = self.survey, self.survey.circuit.steps[turn.step]
        if turn.step in survey.in_place and not again:
            self._leave(step.ins[0])
        part = self.part(turn)
        made = sum(survey.size[w] for w in turn.outs if survey.root[w] == w)
        beside = survey.inside.get(turn.step, 0)
        if again and step.gate is not fused:
            beside += sum(survey.size[w] for w in step.outs if w not in turn.outs)
        self._make_room(made + beside)
        self._used += made
        if self._used + beside > self.peak:
            self.peak, self.peak_at = self._used + beside, turn.step
        self._there.update(turn.outs)
        self.order.append(turn)
        if again:
            self._note(turn, part)
        for buffer in self._buffers(turn):
            self._pending[buffer] -= 1
            self._settle(buffer)
        for out in turn.outs:
            self._settle(survey.root[out])

    def _note(self, turn: Turn, part: Part) -> None:
        """Note that a step ran again, and that its outputs are not gone any more."""
        self.extra += part.cost
        self.starts.update(self._buffers(turn))
        for out in turn.outs:
            if self.survey.root[out] == out:
                self.again[out] += 1
            if out in self._gone:
                self._cost[self._of(self._gone.pop(out))] -= self._own[out]

    def _settle(self, buffer: int) -> None:
        """Give back a buffer that nothing reads any more; else it may be given up from now on."""
        if not self.survey.size[buffer] or buffer not in self._there or self._pending[buffer] > 0:
            return
        if self._next(buffer) is None:
            self._die(buffer)
        elif self.budget != float("inf") and self._may_go(buffer):
            heappush(self._queue, (self._worth(buffer), buffer))

    def _next(self, buffer: int) -> int | None:
        reads = self.survey.reads.get(buffer, [])
        k = bisect_right(reads, self._now)
        return reads[k] if k < len(reads) else None

    def _die(self, buffer: int) -> None:
        """Give back a buffer that nothing reads any more, unless others are made again from it.

        What may run again will; what a call back to Python gave must stay.
        """
        children = {child for child in self._follow[buffer] if child in self._gone}
        if children:
            if not self._may_go(buffer):
                return
            for source in self._to_make(buffer)[2]:
                self._follow[source] |= children
        self._leave(buffer)

    def _leave(self, buffer: int) -> None:
        if buffer in self._there:
            self._there.difference_update(self.survey.members[buffer])
            self._used -= self.survey.size[buffer]

    # --- giving up -----------------------------------------------------------------------------

    def _make_room(self, needed: int) -> None:
        while self._used + needed > self.budget:
            buffer = self._cheapest()
            if buffer is None:
                return
            self._give_up(buffer)

    def _may_go(self, buffer: int) -> bool:
        circuit = self.survey.circuit
        return may_run_again(circuit.steps[circuit.makers[buffer]])

    def _cheapest(self) -> int | None:
        """Return the buffer to give up; what it is worth is looked at anew when it is due."""
        needed_now: list[tuple[float, int]] = []
        found = None
        while self._queue and found is None:
            worth, buffer = heappop(self._queue)
            if buffer not in self._there or self._next(buffer) is None:
                continue
            if self._pending[buffer] > 0:
                needed_now.append((worth, buffer))
                continue
            fresh = self._worth(buffer)
            if fresh == float("inf"):
                continue
            if self._queue and fresh > self._queue[0][0] * 1.001:
                heappush(self._queue, (fresh, buffer))
            else:
                found = buffer
        for entry in needed_now:
            heappush(self._queue, entry)
        return found

    def _worth(self, buffer: int) -> float:
        cost, groups, _ = self._to_make(buffer)
        idle = (self._next(buffer) or self._now) - self._now
        total = cost + sum(self._cost[group] for group in groups)
        return total / (self.survey.size[buffer] * max(idle, 1))

    def _to_make(self, buffer: int) -> tuple[float, set[int], set[int]]:
        """Return what making a buffer again costs, with which groups, and from which buffers."""
        survey, makers = self.survey, self.survey.circuit.makers
        cost, groups, sources = 0.0, set[int](), set[int]()
        asked, seen = [buffer], {buffer}
        while asked and len(seen) < _FAR:
            w = asked.pop()
            part = self.part(Turn(makers[w], (w,)))
            cost += part.cost
            for root in {survey.root[i] for i in part.ins} - seen:
                if root in self._gone:
                    groups.add(self._of(self._gone[root]))
                elif root in self._there or root not in makers or not survey.size[root]:
                    sources.add(root)
                else:
                    seen.add(root)
                    asked.append(root)
                    cost += 0.0 if self._may_go(root) else float("inf")
        for child in self._follow[buffer]:
            if child in self._gone:
                groups.add(self._of(self._gone[child]))
        return cost, groups, sources

    def _give_up(self, buffer: int) -> None:
        cost, groups, sources = self._to_make(buffer)
        group = len(self._group)
        self._group.append(group)
        self._cost.append(cost)
        self._gone[buffer], self._own[buffer] = group, cost
        for other in groups:
            self._group[other] = group
            self._cost[group] += self._cost[other]
        for source in sources:
            self._follow[source].add(buffer)
        self._leave(buffer)

    def _of(self, group: int) -> int:
        """Return the group that a group has become a part of."""
        while self._group[group] != group:
            self._group[group] = self._group[self._group[group]]
            group = self._group[group]
        return group
