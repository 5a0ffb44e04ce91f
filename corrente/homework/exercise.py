"""One exercise: a forward and a backward pass, the inputs, and how to run them."""

from __future__ import annotations

import contextlib
import copy
import inspect
import itertools
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.instrumenting import Log
from corrente.homework.names import is_gradient, primal
from corrente.homework.space import Function, Space, find
from corrente.homework.splitting import parameters, returned_names

_CACHE_NAMES = "cache caches ctx context saved memo tape memory fwd_cache stash state c"
CACHES = frozenset(_CACHE_NAMES.split())
RATES = frozenset(["lr", "learning_rate", "rate", "eta", "alpha", "step", "step_size"])
RATE, SEED = 0.01, 20160111


class Unfit(Exception):
    """The passes cannot be brought together: a message in both languages is its argument."""


@dataclass(frozen=True, eq=False)
class Exercise:
    """A forward and a backward pass by their paths in a space; `outs` for a function of both."""

    space: Space
    forward: str
    backward: str
    inputs: Mapping[str, Any]
    owner: Any = None
    outs: tuple[str, ...] = ()
    upstream: tuple[Any, ...] | None = None
    lent: Mapping[str, int | str] = field(default_factory=dict)
    """What parameters of the backward pass that have no value of their own stand for: an output
    by its place, or an input by its name."""
    receives: tuple[str, ...] | None = None
    """The parameters that receive upstream gradients, where their names do not tell."""

    @property
    def joint(self) -> bool:
        """Tell whether one function holds both passes."""
        return bool(self.outs)

    @property
    def forward_node(self) -> Function:
        return _found(self.space, self.forward)

    @property
    def backward_node(self) -> Function:
        return _found(self.space, self.backward)

    def attributes(self) -> dict[str, Any]:
        """Return the float arrays that the owner holds before the forward pass: parameters.

        It may hold them in dictionaries and lists.
        """
        held = vars(self.owner) if self.owner is not None else {}
        return {k: v for k, v in held.items() if _is_float(v) and not is_gradient(k, held)}

    def parameters(self) -> frozenset[str]:
        """Return the names that gradients of the attributes go by: `W` for self.params["W"]."""
        held = self.attributes()
        inside = (v for v in held.values() if isinstance(v, dict))
        return frozenset(held) | {key for value in inside for key in value}


def _found(space: Space, path: str) -> Function:
    node = find(path, space.units)
    assert node is not None, path
    return node


def _is_float(value: Any) -> bool:
    if isinstance(value, dict | list):
        parts = list(value.values()) if isinstance(value, dict) else value
        return bool(parts) and all(isinstance(p, np.ndarray) and _is_float(p) for p in parts)
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


class Split(NamedTuple):
    """What a forward pass returned: its outputs, and what it kept for the backward pass."""

    outs: list[Any]
    cache: Any
    kept: bool
    """Whether there was a cache, which may be None."""


def call(
    names: Mapping[str, Any], path: str, owner: Any, args: Mapping[str, Any], seed: int = SEED
) -> Any:
    """Call "f" or "Layer.forward" with arguments by name."""
    holder, _, name = path.rpartition(".")
    with _seeded(seed):
        if holder:
            function = getattr(names[holder], name)
            static = isinstance(inspect.getattr_static(names[holder], name), staticmethod)
            return function(**args) if static or owner is None else function(owner, **args)
        return names[name](**args)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let everything that draws at random draw the same each time."""
    fresh, seeds = np.random.default_rng, itertools.count(seed)

    def default_rng(given: Any = None) -> np.random.Generator:
        return fresh(next(seeds) if given is None else given)

    random.seed(seed)
    np.random.seed(seed)
    np.random.default_rng = default_rng
    try:
        yield
    finally:
        np.random.default_rng = fresh


def fresh_owner(exercise: Exercise, names: Mapping[str, Any]) -> Any:
    """Copy the object whose methods are checked, as an instance of the class made anew."""
    if exercise.owner is None:
        return None
    made = copy.deepcopy(exercise.owner)
    holder = exercise.forward.rpartition(".")[0]
    if isinstance(names.get(holder), type):
        made.__class__ = names[holder]
    return made


def upstream_names(exercise: Exercise, known: set[str]) -> list[str]:
    """Return the parameters of the backward pass that receive upstream gradients."""
    node = exercise.backward_node
    names = parameters(node)
    if exercise.receives is not None:
        return list(exercise.receives)
    given = [name for name in names if name not in {*known, *CACHES, *RATES}]
    sure = [name for name in given if is_gradient(name, known) or sounds_upstream(name)]
    if sure:
        return sure
    defaulted = len(node.args.defaults)
    free = [name for name in given if name not in names[len(names) - defaulted :] or name == "g"]
    if any(name in CACHES for name in names):
        return free
    # (grad, stuff): what is not called a cache, but comes second
    return free[:1] if len(free) > 1 or exercise.owner is not None else []


def sounds_upstream(name: str) -> bool:
    """Tell whether a parameter is called as gradients from above are: dout, grad, upstream."""
    low = name.lower()
    return low.startswith(("dout", "dy", "grad", "upstream", "delta", "dl", "dvalue", "dnext")) or (
        low in {"d", "g", "gout", "up", "dz", "seed", "top", "g_out", "above", "ct", "cotangent"}
        or low in {"adj", "adjoint", "err", "error", "sensitivity"}
    )


def split(exercise: Exercise, result: Any, known: set[str]) -> Split:
    """Part what the forward pass returned into outputs and cache."""
    if exercise.joint:
        return Split(list(result) if isinstance(result, tuple) else [result], None, False)
    count = max(1, len(upstream_names(exercise, known)))
    if not isinstance(result, tuple | list) or not result:
        return Split([result], None, False)
    names = returned_names(exercise.forward_node)
    if len(names) == len(result):
        kept = [k for k, name in enumerate(names) if name is not None and _is_cache(name)]
        if len(kept) == 1:
            outs = [part for k, part in enumerate(result) if k != kept[0]]
            return Split(outs[:count], result[kept[0]], True)
    rest = result[count:]
    cache = rest[0] if len(rest) == 1 else tuple(rest)
    return Split(list(result[:count]), cache, bool(rest))


def _is_cache(name: str) -> bool:
    return name in CACHES - {"c", "state"} or "cache" in name


def bind(
    exercise: Exercise,
    split_: Split,
    upstream: Sequence[Any],
    plain: Mapping[str, Any],
) -> dict[str, Any]:
    """Give each parameter of the backward pass its value; raise Unfit where there is none."""
    node = exercise.backward_node
    names = parameters(node)
    receiving = upstream_names(exercise, set(plain))
    order = _matched(receiving, returned_names(exercise.forward_node), len(upstream))
    bound: dict[str, Any] = {}
    optional = set(names[len(names) - len(node.args.defaults) :]) if node.args.defaults else set()
    optional |= {arg.arg for arg in node.args.kwonlyargs}
    used = False
    for name in names:
        if name in receiving and receiving.index(name) < len(order):
            bound[name] = upstream[order[receiving.index(name)]]
        elif name in CACHES and split_.kept and name not in exercise.inputs:
            bound[name] = split_.cache
        elif name in plain:
            bound[name] = plain[name]
        elif split_.kept and not used:
            bound[name] = split_.cache
        elif name not in optional:
            bound[name] = _lent(exercise, name, split_, plain)
        used = used or (split_.kept and bound.get(name) is split_.cache)
    return {name: copy.deepcopy(value) for name, value in bound.items()}


def _lent(exercise: Exercise, name: str, split_: Split, plain: Mapping[str, Any]) -> Any:
    """Find a value for a parameter that is named after nothing; raise Unfit if there is none."""
    lent = exercise.lent.get(name)
    if lent is None:
        if name not in RATES:
            raise Unfit(name)
        return RATE  # a layer that learns on the way back
    return plain[lent] if isinstance(lent, str) else split_.outs[lent]


def readings(exercise: Exercise, ran: Ran) -> Iterator[Exercise]:
    """Give what parameters without a value may stand for: outputs in order, then inputs in order.

    A backward pass may take what the forward pass returned under a name of its own: `p` for
    `return e / e.sum()`. Where no parameter is called as an upstream gradient is, each may be one.
    """
    node, known = exercise.backward_node, set(ran.plain)
    receiving = upstream_names(exercise, known)
    defaulted = node.args.args[len(node.args.args) - len(node.args.defaults) :]
    taken = {*known, *CACHES, *RATES, *(arg.arg for arg in defaulted)}
    free = [name for name in parameters(node) if name not in taken]
    if ran.split.kept and not CACHES & {*parameters(node)}:
        free = [name for name in free if name in receiving] + free[len(receiving) + 1 :]
    sure = any(sounds_upstream(n) or primal(n, {*free} - {n}) for n in receiving)
    others = () if sure else [(name,) for name in free]
    for receives in dict.fromkeys((tuple(receiving), *others)):
        left = [name for name in free if name not in receives]
        for stock in (range(len(ran.split.outs)), list(exercise.inputs)):
            for start in range(len(stock) - len(left) + 1 if left else 0):
                lent = dict(zip(left, stock[start : start + len(left)], strict=True))
                yield replace(exercise, lent=lent, receives=receives)
        if not left and receives:
            yield replace(exercise, receives=receives)


def _matched(receiving: Sequence[str], outs: Sequence[str | None], count: int) -> list[int]:
    """Match upstream gradients with outputs by name, else by place."""
    known = {name: k for k, name in enumerate(outs[:count]) if name is not None}
    found = [known.get(primal(name, known) or "", -1) for name in receiving]
    exact = -1 not in found and len(set(found)) == len(found)
    return found if exact else list(range(min(count, len(receiving))))


class Ran(NamedTuple):
    """A plain forward pass: its parts, and what each name was bound to on the way."""

    split: Split
    plain: dict[str, Any]
    owner: Any
    memory: Mapping[str, Any]
    """What it left in the names of the module."""


def copied(value: Any) -> Any:
    """Copy what a variable holds, so that later writes do not change it."""
    if isinstance(value, np.ndarray | np.generic | float | int | bool | complex):
        return np.array(value)
    if isinstance(value, list | tuple) and value:
        try:
            found = np.array(value)
        except (ValueError, TypeError):
            return None
        return found if found.dtype.kind in "biufc" else None
    return None


def run_forward(exercise: Exercise, names: Mapping[str, Any], log: Log | None) -> Ran:
    """Run the forward pass on copies of the inputs."""
    owner = fresh_owner(exercise, names)
    args = {name: copy.deepcopy(value) for name, value in exercise.inputs.items()}
    with _quiet():
        result = call(names, exercise.forward, owner, args)
    plain: dict[str, Any] = {}
    if log is not None:
        for note in log.notes:
            values = zip(note.site.writes, note.values, strict=True)
            plain |= {key: value[()] for key, value in values if value is not None}
    plain |= {name: copy.deepcopy(value) for name, value in exercise.inputs.items()}
    # a context or a dictionary may have been given to be filled
    plain |= {name: value for name, value in args.items() if not _is_number(value)}
    return Ran(split(exercise, result, set(plain)), plain, owner, exercise.space.memory(names))


def _is_number(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | float | int | list | tuple)


def run_backward(
    exercise: Exercise, names: dict[str, Any], ran: Ran, upstream: Sequence[Any]
) -> tuple[Any, Any]:
    """Run the backward pass; return what it gave back, and the owner."""
    seed = SEED
    if exercise.joint:
        owner = fresh_owner(exercise, names)
        args = {name: copy.deepcopy(value) for name, value in exercise.inputs.items()}
    else:
        seed = SEED + 1  # a mask drawn anew on the way back is not the one of the way forward
        owner, kept, memory = copy.deepcopy((ran.owner, ran.split, dict(ran.memory)))
        if owner is not None:
            owner.__class__ = names[exercise.backward.rpartition(".")[0]]
        names.update(memory)
        args = bind(exercise, kept, upstream, ran.plain)
    with _quiet():
        return call(names, exercise.backward, owner, args, seed), owner


def draws(exercise: Exercise, ran: Ran) -> bool:
    """Tell whether the forward pass gives other outputs with another seed: it draws at random."""
    if exercise.joint:
        return False
    names = exercise.space.build()
    args = {name: copy.deepcopy(value) for name, value in exercise.inputs.items()}
    with _quiet():
        again = call(names, exercise.forward, fresh_owner(exercise, names), args, SEED + 1)
    outs = split(exercise, again, set(ran.plain)).outs
    pairs = zip(outs, ran.split.outs, strict=True)
    return not all(np.array_equal(new, old, equal_nan=True) for new, old in pairs)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back warnings while a student's code runs."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def with_floats(exercise: Exercise) -> Exercise:
    """Make whole-number scalars floats, and arrays of low precision float64."""

    def widened(value: Any) -> Any:
        if type(value) is int:
            return float(value)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value.astype(float)
        if type(value) in (list, tuple):
            parts = [widened(part) for part in value]
            return parts if type(value) is list else tuple(parts)
        if type(value) is dict:
            kept = (int, float, str)
            return {k: v if type(v) in kept else widened(v) for k, v in value.items()}
        return value

    made = {name: widened(value) for name, value in exercise.inputs.items()}
    if exercise.owner is None and not any(map(_has_floats, made.values())):
        made = {name: _as_floats(value) for name, value in made.items()}
    return replace(exercise, inputs=made)


def _has_floats(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        return any(map(_has_floats, parts))
    return np.asarray(value).dtype.kind == "f"


def _as_floats(value: Any) -> Any:
    """Make arrays of whole numbers floats: where nothing else can be differentiated, they are."""
    whole = isinstance(value, np.ndarray) and value.dtype.kind == "i"
    return value.astype(float) if whole else value
