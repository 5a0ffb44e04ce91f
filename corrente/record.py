"""The gate: one record that holds everything about one NumPy function, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from corrente.words import Says

Params = Mapping[str, Any]
Shape = tuple[int, ...]
Interval = tuple[float, float]

REALS: Interval = (-3.0, 3.0)
POSITIVE: Interval = (0.2, 3.0)
UNIT: Interval = (-0.9, 0.9)
ABOVE_ONE: Interval = (1.2, 4.0)
NONZERO: Interval = (0.3, 2.5)


class Call(NamedTuple):
    """A NumPy call in the house's own form: what flows in on wires, and what is fixed."""

    ins: tuple[Any, ...]
    params: dict[str, Any]


def call(*ins: Any, **params: Any) -> Call:
    """Build a Call."""
    return Call(ins, params)


# --- kinds: the closed set that native code, batching, memory and drawing match on -------------


@dataclass(frozen=True)
class Elementwise:
    """Works on each element alone, after broadcasting; `emit` is the body of its loop."""

    emit: Callable[..., Any]


@dataclass(frozen=True)
class Reduce:
    """Folds the axes named by `params["axis"]` (a tuple of ints ≥ 0, sorted)."""


@dataclass(frozen=True)
class Rearrange:
    """Moves, repeats or drops elements without arithmetic.

    `batch` is the same for inputs that all have one more axis in front, in plain NumPy:
    `(*ins, **params) -> out`.
    """

    batch: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Contract:
    """A sum of products; `spec` gives it as an einsum: `(ndims, params) -> "ij,jk->ik"`."""

    spec: Callable[[tuple[int, ...], Params], str]


@dataclass(frozen=True)
class Gather:
    """Reads elements of its first input at `params["index"]`."""


@dataclass(frozen=True)
class Scatter:
    """Writes its second input into its first at `params["index"]`; adds when `adds`."""

    adds: bool


@dataclass(frozen=True)
class Opaque:
    """Anything else: a call back to NumPy; `batch` as for Rearrange."""

    batch: Callable[..., Any] | None = None


Kind = Elementwise | Reduce | Rearrange | Contract | Gather | Scatter | Opaque


class Builder(Protocol):
    """What a gate's `emit` may say; NumPy, LLVM, C and JavaScript each answer in their own way.

    Values are scalars of the loop (the NumPy builder takes whole arrays). `const` makes a number
    of the type of the value given beside it.
    """

    def const(self, number: float, like: Any) -> Any: ...
    def add(self, x: Any, y: Any) -> Any: ...
    def sub(self, x: Any, y: Any) -> Any: ...
    def mul(self, x: Any, y: Any) -> Any: ...
    def div(self, x: Any, y: Any) -> Any: ...
    def fmod(self, x: Any, y: Any) -> Any: ...
    def pow(self, x: Any, y: Any) -> Any: ...
    def atan2(self, x: Any, y: Any) -> Any: ...
    def neg(self, x: Any) -> Any: ...
    def abs(self, x: Any) -> Any: ...
    def sqrt(self, x: Any) -> Any: ...
    def cbrt(self, x: Any) -> Any: ...
    def exp(self, x: Any) -> Any: ...
    def exp2(self, x: Any) -> Any: ...
    def expm1(self, x: Any) -> Any: ...
    def log(self, x: Any) -> Any: ...
    def log2(self, x: Any) -> Any: ...
    def log10(self, x: Any) -> Any: ...
    def log1p(self, x: Any) -> Any: ...
    def sin(self, x: Any) -> Any: ...
    def cos(self, x: Any) -> Any: ...
    def tan(self, x: Any) -> Any: ...
    def asin(self, x: Any) -> Any: ...
    def acos(self, x: Any) -> Any: ...
    def atan(self, x: Any) -> Any: ...
    def sinh(self, x: Any) -> Any: ...
    def cosh(self, x: Any) -> Any: ...
    def tanh(self, x: Any) -> Any: ...
    def asinh(self, x: Any) -> Any: ...
    def acosh(self, x: Any) -> Any: ...
    def atanh(self, x: Any) -> Any: ...
    def floor(self, x: Any) -> Any: ...
    def ceil(self, x: Any) -> Any: ...
    def rint(self, x: Any) -> Any: ...
    def trunc(self, x: Any) -> Any: ...
    def lt(self, x: Any, y: Any) -> Any: ...
    def le(self, x: Any, y: Any) -> Any: ...
    def eq(self, x: Any, y: Any) -> Any: ...
    def both(self, p: Any, q: Any) -> Any: ...
    def either(self, p: Any, q: Any) -> Any: ...
    def negate(self, p: Any) -> Any: ...
    def select(self, p: Any, x: Any, y: Any) -> Any: ...


# --- the record ---------------------------------------------------------------------------------

Pull = Callable[..., Any]  # (g, out, *ins, **params) -> gradient of one input
Joint = Callable[..., Any]  # (g, out, ins, params, wanted) -> one gradient per wanted input


class Every:
    """One rule for any number of inputs: `rule(position, g, out, *ins, **params)`."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule

    def __getitem__(self, position: int) -> Pull:
        rule = self.rule
        return lambda g, out, *ins, **params: rule(position, g, out, *ins, **params)


@dataclass(frozen=True, eq=False, kw_only=True)
class Gate:
    """Everything about one NumPy function; all fields must be given, None says "has none"."""

    name: str
    of: Callable[..., Any]
    """The function it captures: the tracer's key."""
    forward: Callable[..., Any]
    """The forward rule, `(*ins, **params) -> out`; `of` itself for a ufunc."""
    takes: Callable[..., Call] | None
    """Turns a call as users write it into a Call; None: positional wires only."""
    symbol: str
    """What the drawing shows."""
    kind: Kind
    shape: Callable[..., Shape] | None
    """`(*input shapes, **params) -> output shape`; None: shapes broadcast, or ask forward."""
    partials: Sequence[Callable[..., Any] | float] | None
    """Local gradients `(*ins, out)`, or a number: elementwise gates only."""
    pulls: Sequence[Pull] | Every | None
    """One rule per input, `(g, out, *ins, **params)`; None: no gradient by nature."""
    joint: Joint | None
    """Or one rule for all inputs at once (a user's own gate)."""
    push: Callable[..., Any] | None
    """Explicit forward mode `(tangents, out, ins, params)`; None: follows from the rest."""
    linear: frozenset[int]
    """Inputs in which the gate is linear: there, forward mode is the gate itself."""
    side: Callable[..., Any] | None
    """Which side of a kink each element is on, `(*ins, **params)`; None: smooth."""
    code: Callable[..., str] | None
    """How it prints as NumPy, `(names, params) -> text`; None: `np.name(x, key=value)`."""
    does: Says
    teaches: Says
    domain: tuple[Interval, ...]
    """Where tests sample each input, and where the doctor warns."""
    example: Callable[..., Call] | None
    """Arguments for the table tests, from a random generator; None: arrays in `domain`."""
    outs: int | Callable[..., int]
    """How many outputs."""
    facts: frozenset[str]
    """What passes may use: "commutative", "linear", "identity"."""

    @cached_property
    def differentiable(self) -> bool:
        """Tell whether gradients flow through it at all."""
        return self.pulls is not None or self.joint is not None

    def __repr__(self) -> str:
        return f"<gate {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name, (self.name,)


TABLE: dict[Any, Gate] = {}
NAMES: dict[str, Gate] = {}
COMPOSED: dict[Any, Callable[..., Any]] = {}
REFUSED: dict[Any, Says] = {}


def _by_name(name: str) -> Gate:
    return NAMES[name]


def register(gate: Gate, *also: Any) -> Gate:
    """Enter a gate into the table under its function, and under others that mean the same."""
    if gate.name in NAMES:
        raise ValueError(f"two gates are called {gate.name}")
    NAMES[gate.name] = gate
    for key in (gate.of, *also):
        if key in TABLE or key in COMPOSED:
            raise ValueError(f"two records for {key}")
        TABLE[key] = gate
    return gate


def composed(of: Callable[..., Any], *also: Any) -> Callable[[Callable[..., Any]], Any]:
    """Record a NumPy function as a composition of others, written in plain NumPy."""

    def enter(rule: Callable[..., Any]) -> Callable[..., Any]:
        for key in (of, *also):
            if key in TABLE or key in COMPOSED:
                raise ValueError(f"two records for {key}")
            COMPOSED[key] = rule
        return rule

    return enter


def _from_partial(partial: Callable[..., Any] | float, arity: int) -> Pull:
    """Make the pull of an elementwise gate: the upstream gradient times the local one."""
    if not callable(partial):
        if partial == 1:
            return lambda g, out, *ins: g
        if partial == -1:
            return lambda g, out, *ins: -g
        return lambda g, out, *ins: g * partial
    if arity == 1:
        return lambda g, out, x: g * partial(x, out)
    if arity == 2:
        return lambda g, out, x, y: g * partial(x, y, out)
    return lambda g, out, *ins: g * partial(*ins, out)


def elementwise(
    of: Callable[..., Any],
    *also: Any,
    symbol: str,
    emit: Callable[..., Any],
    does: Says,
    teaches: Says,
    domain: tuple[Interval, ...],
    partials: Sequence[Callable[..., Any] | float] | None = None,
    pulls: Sequence[Pull] | None = None,
    name: str | None = None,
    forward: Callable[..., Any] | None = None,
    takes: Callable[..., Call] | None = None,
    push: Callable[..., Any] | None = None,
    linear: Sequence[int] = (),
    side: Callable[..., Any] | None = None,
    code: Callable[..., str] | None = None,
    facts: Sequence[str] = (),
    example: Callable[..., Call] | None = None,
) -> Gate:
    """Record a gate that works on each element alone.

    Give its local gradients as `partials` (both modes follow), or as `pulls` where a product
    would be wrong (a choice must select, not multiply by zero). Neither: no gradient by nature.
    """
    if partials is not None and pulls is None:
        pulls = tuple(_from_partial(partial, len(domain)) for partial in partials)
    if pulls is not None and len(pulls) != len(domain):
        raise ValueError(f"{of}: {len(pulls)} gradients for {len(domain)} inputs")
    return register(
        Gate(
            name=name or of.__name__,
            of=of,
            forward=forward or of,
            takes=takes,
            symbol=symbol,
            kind=Elementwise(emit),
            shape=None,
            partials=tuple(partials) if partials is not None else None,
            pulls=pulls,
            joint=None,
            push=push,
            linear=frozenset(linear),
            side=side,
            code=code,
            does=does,
            teaches=teaches,
            domain=domain,
            example=example,
            outs=1,
            facts=frozenset(facts),
        ),
        *also,
    )


def gate(
    of: Callable[..., Any],
    *also: Any,
    kind: Kind,
    takes: Callable[..., Call] | None,
    shape: Callable[..., Any] | None,
    pulls: Sequence[Pull] | Every | None,
    symbol: str,
    does: Says,
    teaches: Says,
    example: Callable[..., Call] | None,
    domain: tuple[Interval, ...] = (REALS,),
    name: str | None = None,
    forward: Callable[..., Any] | None = None,
    push: Callable[..., Any] | None = None,
    linear: Sequence[int] = (),
    side: Callable[..., Any] | None = None,
    code: Callable[..., str] | None = None,
    outs: int | Callable[..., int] = 1,
    facts: Sequence[str] = (),
    joint: Joint | None = None,
) -> Gate:
    """Record a gate of any other kind: its shape rule and one pull per input, in plain NumPy.

    `joint` gives the gradients of all inputs at once, where one by one would be wasteful.
    """
    return register(
        Gate(
            name=name or of.__name__,
            of=of,
            forward=forward or of,
            takes=takes,
            symbol=symbol,
            kind=kind,
            shape=shape,
            partials=None,
            pulls=pulls,
            joint=joint,
            push=push,
            linear=frozenset(linear),
            side=side,
            code=code,
            does=does,
            teaches=teaches,
            domain=domain,
            example=example,
            outs=outs,
            facts=frozenset(facts),
        ),
        *also,
    )


def opaque(name: str, of: Callable[..., Any], arity: int) -> Gate:
    """Make a gate that stands outside the table: called as it is, with what rules it is given.

    >>> opaque("read", lambda x: x, 1).differentiable
    False
    """
    return Gate(
        name=name,
        of=of,
        forward=of,
        takes=None,
        symbol=name,
        kind=Opaque(),
        shape=None,
        partials=None,
        pulls=None,
        joint=None,
        push=None,
        linear=frozenset(),
        side=None,
        code=lambda names, params: f"{name}({', '.join(names)})",
        does=Says(f"calls {name}", f"chama {name}"),
        teaches=Says(
            "asks its author's own rule for the gradients",
            "pede os gradientes à regra do seu autor",
        ),
        domain=(REALS,) * arity,
        example=None,
        outs=1,
        facts=frozenset(),
    )
