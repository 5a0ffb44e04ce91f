"""Generators: an `np.random.Generator` in a trace, whose draws are steps, and in a compiled call.

Each draw takes a token from the draw before it and hands one on to the next. So no pass can
merge, drop or exchange draws: to a circuit they are values made of values.
"""

from __future__ import annotations

import copy
import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from corrente.errors import NotSupported
from corrente.record import opaque
from corrente.tape import Tape
from corrente.tracer import Traced, record
from corrente.tracer.box import run_forward
from corrente.trees import take_apart
from corrente.words import Says

_EXOTIC = frozenset(("bit_generator", "bytes", "shuffle", "spawn"))
"""What is no draw of numbers that are returned."""
DRAWS = tuple(
    name for name in dir(np.random.Generator) if not name.startswith("_") and name not in _EXOTIC
)


def is_generator(leaf: Any) -> bool:
    """Tell whether an argument is NumPy's own generator, whose draws can be compiled.

    >>> is_generator(np.random.default_rng(0)), is_generator(np.random)
    (True, False)
    """
    return type(leaf) is np.random.Generator


# --- at run time: generators are lent to a program under numbers --------------------------------

_TOKENS = itertools.count(1)
_LENT: dict[int, np.random.Generator] = {}
_TURNS: dict[int, tuple[Any, list[None]]] = {}
"""Bit generator → its lock, and one entry for each call that holds it or waits for it."""
_TURNING = threading.Lock()


def lending(run: Callable[..., Any], given: Sequence[Any]) -> Any:
    """Run a program on arguments, with the token of each generator in its place.

    Where it returns NotImplemented or raises, the generators are as they were: nothing was drawn.
    Calls that share a generator wait for each other, so that none undoes what another one drew.
    """
    spots = [k for k, leaf in enumerate(given) if is_generator(leaf)]
    bits = [given[k].bit_generator for k in spots]
    passed, fits = list(given), False
    with turns(given):
        states = [bit.state for bit in bits]
        tokens = [next(_TOKENS) for _ in spots]
        try:
            for k, token in zip(spots, tokens, strict=True):
                _LENT[token] = given[k]
                passed[k] = np.int64(token)
            found = run(*passed)
            fits = found is not NotImplemented
            return found
        finally:
            for token in tokens:
                _LENT.pop(token, None)
            if not fits:
                for bit, state in zip(bits, states, strict=True):
                    bit.state = state


@contextmanager
def turns(leaves: Iterable[Any]) -> Iterator[None]:
    """Wait until no other call draws from these generators, and keep the others waiting."""
    bits = {id(leaf.bit_generator): leaf.bit_generator for leaf in leaves if is_generator(leaf)}
    with ExitStack() as held:
        for key in sorted(bits):  # in one order, so that no two calls wait for each other
            held.enter_context(_turn(bits[key]))
        yield


@contextmanager
def _turn(bit: Any) -> Iterator[None]:
    with _TURNING:
        lock, users = _TURNS.setdefault(id(bit), (threading.RLock(), []))
        users.append(None)
    try:
        with lock:
            yield
    finally:
        with _TURNING:
            users.pop()
            if not users:
                del _TURNS[id(bit)]


def _draw(
    token: Any, *ins: Any, method: str, leaves: tuple[Any, ...], spots: tuple[int, ...], build: Any
) -> tuple[Any, Any]:
    """Draw from the generator that was lent under a token; hand the token on."""
    given = list(leaves)
    for k, value in zip(spots, ins, strict=True):
        given[k] = value
    args, kwargs = build(given)
    return getattr(_LENT[int(token)], method)(*args, **kwargs), token


draw = replace(  # it has no meaning without a generator that is lent
    opaque("draw", _draw, 1),
    code=lambda names, params: f"draw({', '.join((params['method'], *names))})",
    does=Says("draws random numbers", "sorteia números"),
    teaches=Says(
        "lets no gradient through: what was drawn is a constant",
        "não deixa passar gradiente: o que foi sorteado é constante",
    ),
    outs=2,
)


# --- in a trace: a stand-in records what is drawn ------------------------------------------------


class Chain:
    """The draws from one bit generator in one run: its copy, and the token the next draw takes."""

    def __init__(self, real: np.random.Generator) -> None:
        self.real = real
        self.token: Traced | None = None
        self.drawn = False

    def enter(self, tape: Tape) -> int | None:
        """Enter the generator as an argument and return its wire; None if it is there already."""
        if self.token is not None:
            return None
        start = np.int64(0)
        wire = tape.argument(start, wanted=False)
        self.token = Traced(tape, wire, start)
        return wire

    def draw(self, method: str, args: Any, kwargs: Any) -> Any:
        """Draw from the copy, and record that it is to be drawn from the generator of a call."""
        if _in_a_gate():
            _refuse(method)
        tree = take_apart((args, kwargs))
        spots = tuple(k for k, leaf in enumerate(tree.leaves) if _flows(leaf))
        numbers = [self._number(leaf) for leaf in tree.leaves]
        given, named = tree.build(numbers)
        value = getattr(self.real, method)(*given, **named)
        kind = np.asarray(value).dtype.kind
        # out= gave it a buffer of the user's
        mine = isinstance(value, np.ndarray) and any(value is number for number in numbers)
        if mine or kind not in "biufc":
            _refuse(method)
        leaves = tuple(None if k in spots else leaf for k, leaf in enumerate(tree.leaves))
        params = {"method": method, "leaves": leaves, "spots": spots, "build": tree.build}
        ins = [self.token, *(tree.leaves[k] for k in spots)]
        made, self.token = record(draw, ins, params, lambda *_, **__: (value, np.int64(0)))
        self.drawn = True
        return made

    def _number(self, leaf: Any) -> Any:
        """Return what a draw is given in this run; a value with a gradient is left to Python."""
        if type(leaf) is not Traced:
            return leaf
        assert self.token is not None
        if leaf.tape is not self.token.tape or leaf.tape.depends(leaf.wire):
            _refuse("draw")
        return leaf.now()


def _in_a_gate() -> bool:
    """Tell whether a gate's own rule is running: a program calls that, not what it draws."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not run_forward.__code__:
        frame = frame.f_back
    return frame is not None


def _flows(leaf: Any) -> bool:
    return type(leaf) is Traced or (isinstance(leaf, np.ndarray) and not leaf.dtype.hasobject)


def _refuse(what: str) -> NoReturn:
    raise NotSupported(
        Says(
            "{0} of a random generator is not part of a circuit.",
            "{0} de um gerador aleatório não faz parte de um circuito.",
        ).fill(what),
        Says(
            "call what does this outside of the function.",
            "chame o que faz isto fora da função.",
        ),
    )


class StandIn(np.random.Generator):
    """A generator in a trace.

    It inherits because NumPy's own doors ask for one: `np.random.default_rng(rng)` hands it back.
    """

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain.real.bit_generator)
        self.chain = chain

    def __reduce__(self) -> NoReturn:
        _refuse("copy")


def _drawing(method: str) -> Callable[..., Any]:
    def drawing(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        return self.chain.draw(method, args, kwargs)

    drawing.__name__ = method
    return drawing


def _refusing(name: str) -> property:
    return property(lambda self: _refuse(name))


for _name in DRAWS:
    setattr(StandIn, _name, _drawing(_name))
for _name in _EXOTIC:
    setattr(StandIn, _name, _refusing(_name))


def stand_in(leaves: Sequence[Any]) -> list[Any]:
    """Put stand-ins in the place of generators; those of one bit generator draw in turn."""
    chains: dict[int, Chain] = {}
    found = []
    for leaf in leaves:
        if is_generator(leaf):
            bit = leaf.bit_generator
            if id(bit) not in chains:
                chains[id(bit)] = Chain(np.random.Generator(copy.deepcopy(bit)))
            leaf = StandIn(chains[id(bit)])
        found.append(leaf)
    return found


def set_aside(leaves: Sequence[Any]) -> list[Any]:
    """Put copies in the place of generators, which no other thread can draw from."""
    copies = iter(copy.deepcopy([leaf for leaf in leaves if is_generator(leaf)]))
    return [next(copies) if is_generator(leaf) else leaf for leaf in leaves]


def ends(leaves: Iterable[Any]) -> list[int]:
    """Return the last token of each chain from which something was drawn, as wires."""
    chains = {id(leaf.chain): leaf.chain for leaf in leaves if type(leaf) is StandIn}
    return [
        chain.token.wire for chain in chains.values() if chain.drawn and chain.token is not None
    ]
