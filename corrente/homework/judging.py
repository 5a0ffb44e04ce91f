"""Which assignments of a backward pass are right, which are wrong, and whom to suspect first."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.instrumenting import Log, Note, Site, reads_of
from corrente.homework.names import is_delta, is_partial, local, primal
from corrente.homework.syntax import method
from corrente.homework.truth import Truth, Version, close

RIGHT, LOOSE, PART, KNOWN, OTHER, VALUE, UNKNOWN, WRONG = (
    "right",  # the gradient of its own value
    "loose",  # that, with axes of length one more or fewer
    "part",  # the sum of some of its contributions
    "known",  # the gradient of another value
    "other",  # the same, though its name says otherwise
    "value",  # a value of the forward pass
    "unknown",
    "wrong",
)
_BAD = (WRONG, OTHER)
_UNSURE = (UNKNOWN, LOOSE, PART)


class Judged(NamedTuple):
    """How a value stands to the truth: as what, of which forward name, and what it should be."""

    status: str
    of: str | None
    true: Any = None
    version: Version | None = None
    trivial: bool = False
    incomplete: bool = False


@dataclass(eq=False)
class Group:
    """Consecutive statements that build one variable, and how the built value is judged."""

    key: str
    scope: int
    notes: list[Note]
    value: Any
    reads: dict[str, Group] = field(default_factory=dict)
    judged: Judged = field(default=Judged(UNKNOWN, None))
    position: int = 0

    @property
    def sites(self) -> list[Site]:
        """The statements of the group, each once, in order."""
        return list({note.site.number: note.site for note in self.notes}.values())


def judge(truth: Truth, key: str, value: Any) -> Judged:
    """Compare a variable with the true gradients: of its own value first, then of any."""
    known = set(truth.names) | truth.plain
    of = primal(key, known)
    array = None if value is None else np.asarray(value)
    if array is None or array.dtype.kind not in "biufc":
        return Judged(UNKNOWN, of)
    pair = local(key, known) if of is None else None
    if pair is not None:
        return _judge_local(truth, pair, array)
    versions = truth.names.get(of, ()) if of is not None else ()
    found = _judge_own(truth, of, versions, array) or _judge_any(truth, of, versions, array)
    either = {RIGHT: LOOSE, OTHER: UNKNOWN, KNOWN: UNKNOWN} if is_delta(key) else {}
    return found._replace(status=either.get(found.status, found.status))


def _judge_local(truth: Truth, pair: tuple[str, str], array: Any) -> Judged:
    """Judge a variable that is named as a local gradient: dqdx."""
    for over in truth.names.get(pair[0], ()):
        for under in truth.names.get(pair[1], ()):
            true = truth.local(over, under)
            if true is not None:
                # through all paths, or through this gate alone
                either = (true, truth.local(over, under, direct=True))
                status = RIGHT if any(close(array, t) for t in either if t is not None) else WRONG
                return Judged(status, pair[1], true, under)
    return Judged(UNKNOWN, pair[1])


def _judge_own(
    truth: Truth, of: str | None, versions: Sequence[Version], array: Any
) -> Judged | None:
    trivial = bool(np.all(array == 0))
    for version in versions:
        true = truth.gradient(version)
        if true is not None and truth.agrees(array, true):
            status = RIGHT if array.shape == np.shape(true) else LOOSE
            return Judged(status, of, true, version, trivial)
    for version in versions:
        if any(close(array, part) for part in truth.parts(version)):
            return Judged(PART, of, truth.gradient(version), version, trivial)
    return None


def _judge_any(truth: Truth, of: str | None, versions: Sequence[Version], array: Any) -> Judged:
    best = _nearest(truth, versions, array)
    true = truth.gradient(best) if best is not None else None
    other = _recognised(truth, array)
    if other is not None:
        full = close(array, truth.gradients.get(other[0]))
        status = OTHER if versions else KNOWN if full else UNKNOWN
        return Judged(status, of, true, best)
    if versions:
        return Judged(WRONG, of, true, best)
    if of is None and _is_value(truth, array):
        return Judged(VALUE, None)
    return Judged(UNKNOWN, of)


def _recognised(truth: Truth, array: Any) -> tuple[int, Any] | None:
    """Find a wire whose gradient, or a contribution to it, is this; a whole gradient first."""
    found = None
    for shape in {array.shape, tuple(n for n in array.shape if n != 1)}:
        for wire, value in truth.known.get(shape, ()):
            if close(array, value):
                if value is truth.gradients.get(wire):
                    return wire, value
                found = found or (wire, value)
    return found


def _is_value(truth: Truth, array: Any) -> bool:
    return any(
        close(array, value) for value in truth.values.values() if np.shape(value) == array.shape
    )


def _nearest(truth: Truth, versions: Sequence[Version], array: Any) -> Version | None:
    """Choose the version of a name that a wrong value most likely stands for."""
    best, least = None, np.inf
    for version in versions:
        true = truth.gradient(version)
        if true is None:
            continue
        if np.shape(true) == array.shape:
            scale = float(np.max(np.abs(true), initial=0.0)) or 1.0
            far = float(np.max(np.abs(array - true), initial=0.0)) / scale
        else:
            far = 1e30
        if best is None or far < least:
            best, least = version, far
    return best


def first_odd(truth: Truth, group: Group) -> Site:
    """Return the statement of a wrong group at which it went wrong, as far as can be seen.

    Where contributions are added to zeros, that is the first after which the value is no sum
    of some of the true ones; else the last that does more than scale.
    """
    adding = (ast.Add, ast.Sub)
    sites = [s for s in group.sites if not _scales(s)] or group.sites
    while len(sites) > 1 and _reshapes(sites[-1], group.key):
        sites.pop()
    rest = [s.node for s in sites[1:]]
    if rest and all(isinstance(n, ast.AugAssign) and isinstance(n.op, adding) for n in rest):
        for note in group.notes:
            value = note.values[note.site.writes.index(group.key)]
            if value is not None and np.any(value):
                status = judge(truth, group.key, value).status
                if status not in (PART, RIGHT, LOOSE):
                    return note.site
    return sites[-1]


def _reshapes(site: Site, key: str) -> bool:
    """Tell whether a statement only gives a variable another shape."""
    value = getattr(site.node, "value", None)
    shapes = ("reshape", "ravel", "flatten", "squeeze", "transpose")
    called = isinstance(value, ast.Call) and method(value) in shapes
    return isinstance(site.node, ast.Assign) and called and key in reads_of(value)


def _scales(site: Site) -> bool:
    return isinstance(site.node, ast.AugAssign) and isinstance(site.node.op, ast.Mult | ast.Div)


# --- groups ---------------------------------------------------------------------------------------


def grouped(log: Log, truth: Truth) -> list[Group]:
    """Gather the notes of a run into groups, and judge what each has built."""
    groups: list[Group] = []
    current: dict[tuple[int, str], Group] = {}
    for note in log.notes:
        pairs = list(zip(note.site.writes, note.values, strict=True))
        reads = _sources(note, current)
        for key, value in pairs:
            old = current.get((note.scope, key))
            if old is not None and note.site.builds:
                old.notes.append(note)
                old.value = value
                for name, source in reads.items():
                    # a loop reads a variable anew each time round: the first time counts as well
                    if source is not old and source is not old.reads.setdefault(name, source):
                        old.reads[f"{name} {source.position}"] = source
                continue
            made = Group(key, note.scope, [note], value, dict(reads), position=len(groups))
            groups.append(made)
            current[note.scope, key] = made
    last = {(g.scope, g.key): g for g in groups}
    known = set(truth.names) | truth.plain
    for group in groups:
        group.judged = judge(truth, group.key, group.value)
        final = last[group.scope, group.key] is group
        if group.judged.status == PART and final and not is_partial(group.key, known):
            group.judged = group.judged._replace(status=WRONG, incomplete=True)
        elif group.judged.status in _BAD and not final and not np.any(group.value):
            group.judged = group.judged._replace(status=VALUE)  # zeros to begin with
    return groups


def _sources(note: Note, current: Mapping[tuple[int, str], Group]) -> dict[str, Group]:
    found = {}
    for key in note.site.reads:
        group = current.get((note.scope, key))
        if group is not None:
            found[key] = group
    return found


def suspects(groups: Sequence[Group]) -> list[list[Group]]:
    """Rank the groups in tiers: first those wrong though all they read is right."""
    bad = [g for g in groups if g.judged.status in _BAD]
    roots = [g for g in bad if not any(s.judged.status in _BAD for s in _upstream(g))]
    sure = [g for g in roots if not _unknown_sources(g)]
    near = _until_wrong(sure)
    if not near and roots:
        near = [*_unknown_sources(roots[0]), roots[0]]
    # what is handed back may be scaled in the return statement
    near += [
        g
        for g in groups
        if g.key == "return" and set(map(id, g.reads.values())) & set(map(id, near))
    ]
    tiers = [near]
    wider = _shared_sources(roots)
    for group in roots:
        values = [s for s in group.reads.values() if s.judged.status in (VALUE, KNOWN)]
        wider += [*_unknown_sources(group), *values, group]
    tiers.append(wider)
    tiers.append([g for g in groups if g.judged.status in (*_BAD, UNKNOWN)])
    tiers.append([g for g in groups if g.judged.status != RIGHT or g.judged.trivial])
    tiers.append(list(groups))
    return _without_repeats(tiers)


def aliasing(log: Log, groups: Sequence[Group]) -> list[Group]:
    """Return the groups that changed, under another name, what is read later on."""
    found = []
    for group in groups:
        names = {n for s in group.sites for n in log.aliases.get(s.number, ())}
        last = next(k for k, note in enumerate(log.notes) if note is group.notes[-1])
        later = log.notes[last + 1 :] if names else ()
        if any(names & note.site.reads for note in later if note.scope == group.scope):
            found.append(group)
    return found


def _until_wrong(roots: Sequence[Group]) -> list[Group]:
    """Take roots up to the first that is plainly wrong: others may only be oddly named."""
    for k, group in enumerate(roots):
        if group.judged.status == WRONG:
            return list(roots[: k + 1])
    return list(roots[:1])


def _shared_sources(roots: Sequence[Group]) -> list[Group]:
    """Return what several wrong groups read, which may lack what all of them lack."""
    sources = {id(s): s for group in roots for s in group.reads.values()}
    return [source for source in sources.values() if len(readers(source, roots)) > 1]


def readers(source: Group, groups: Iterable[Group]) -> list[Group]:
    """Return the groups that read another one."""
    return [group for group in groups if any(s is source for s in group.reads.values())]


def _upstream(group: Group) -> Iterator[Group]:
    seen: set[int] = set()
    waiting = list(group.reads.values())
    while waiting:
        source = waiting.pop()
        if id(source) not in seen:
            seen.add(id(source))
            yield source
            waiting += source.reads.values()


def _unknown_sources(group: Group) -> list[Group]:
    """Return what a group reads that is neither known to be right nor wrong, in order."""
    found: dict[int, Group] = {}
    waiting = list(group.reads.values())
    while waiting:
        source = waiting.pop()
        if source.judged.status in _UNSURE and id(source) not in found:
            found[id(source)] = source
            waiting += source.reads.values()
    return sorted(found.values(), key=lambda g: g.position)


def _without_repeats(tiers: Sequence[Sequence[Group]]) -> list[list[Group]]:
    seen: set[int] = set()
    made: list[list[Group]] = []
    for tier in tiers:
        fresh = []
        for group in sorted(tier, key=lambda g: g.position):
            if id(group) not in seen:
                seen.add(id(group))
                fresh.append(group)
        if fresh:
            made.append(fresh)
    return made
