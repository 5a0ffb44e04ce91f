"""Simplifying: identities that hold for every number there is, each with its reason.

A rule is here only if it gives the same bits for every input: NaN (as such), ±∞, −0.0 and the
subnormal numbers, whole numbers that wrap around, and every dtype it applies to. So these are
*not* rules, and must not become ones:

* `x + 0.0 → x`: −0.0 + 0.0 is 0.0 (`x - 0.0` and `x + -0.0` are rules);
* `x * 0.0 → 0.0`: NaN, ±∞ and the sign of zero;
* `-(x - y) → y - x`, `0.0 - x → -x`: the sign of zero;
* `x ** 0.5 → sqrt(x)`: at −0.0 and −∞;  `x ** -1 → 1 / x`, `x / 3 → x * (1 / 3)`: the last bit;
* `sum(x, axis=())  → x`, nor a mean: a sum begins with 0.0, and −0.0 is lost;
* `z * 1.0 → z` of complex numbers: (∞ + i) × (1 + 0i) has a NaN;
* anything that drops `stop_gradient`: the circuit may still be differentiated.

To add one, write a rewrite and enter it in `RULES`. It need not look at the shape or dtype of a
wire that it gives back: a wire that is not like the output is refused.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Circuit, Step, Wire
from corrente.gates.arithmetic import add, multiply, negative, power, square, subtract
from corrente.gates.arrays import broadcast_to, expand_dims, reshape, squeeze, transpose
from corrente.gates.choices import cast
from corrente.passes.rewiring import alike, is_constant, renamed, rewired
from corrente.record import NAMES, Elementwise, Gate, Params


class Instead(NamedTuple):
    """What a step becomes: another gate, on other wires."""

    gate: Gate
    ins: tuple[int, ...]
    params: Params


class Surroundings:
    """What a rule may look at: the wires, the constants, and the steps that made its inputs."""

    __slots__ = ("_found", "_scalars", "held", "makers", "wires")

    def __init__(self, circuit: Circuit) -> None:
        self.wires: list[Wire] = list(circuit.wires)
        self.held: dict[int, Any] = dict(circuit.held)
        self.makers: dict[int, Step] = {}
        self._found: dict[int, Any] = {}
        self._scalars: dict[int, int] = {}

    def made_by(self, wire: int, *gates: Gate) -> Step | None:
        """Return the step that made a wire if its gate is one of these."""
        step = self.makers.get(wire)
        return step if step is not None and step[0] in gates else None

    def kind(self, *wires: int) -> str:
        """Return the kinds of the wires' dtypes, one letter each, as in `dtype.kind`."""
        return "".join([self.wires[wire].dtype.kind for wire in wires])

    def number(self, wire: int) -> Any:
        """Return the number that a constant wire has everywhere; None if it is no such wire."""
        if wire not in self.held:
            return None
        if wire not in self._found:
            self._found[wire] = _everywhere(self.held[wire])
        return self._found[wire]

    def scalar(self, wire: int) -> int:
        """Return a wire without dimensions for an array that is one number everywhere."""
        if wire not in self._scalars:
            value = self.number(wire)
            if value is None:
                return wire
            self._scalars[wire] = len(self.wires)
            self.wires.append(Wire((), self.wires[wire].dtype, len(self.wires), False))
            self.held[self._scalars[wire]] = value
        return self._scalars[wire]

    def hold(self, value: Any, like: int) -> int:
        """Enter a number of the type of another constant wire, and return its wire."""
        wire = len(self.wires)
        self.wires.append(self.wires[like]._replace(id=wire))
        self.held[wire] = value
        return wire


def _everywhere(value: Any) -> Any:
    if not is_constant(value):
        return None
    if not isinstance(value, np.ndarray):
        return value
    first = value.reshape(-1)[:1]
    uniform = value.size and value.tobytes() == first.tobytes() * value.size
    return first[0] if uniform else None


Rewrite = Callable[[Surroundings, Step], "int | Instead | None"]


class Rule(NamedTuple):
    """One identity: the gates it looks at, what they become, and why that is the same."""

    gates: str
    rewrite: Rewrite
    because: str


def simplify(circuit: Circuit) -> Circuit:
    """Apply the rules to every step, in order, until none applies.

    A step that becomes another keeps its outputs, place and call stack; one whose output is a
    wire that is there already gives way to it. What nobody reads any more stays for `prune`.

    >>> import numpy as np, corrente as co
    >>> circuit = co.trace(lambda x, y: (x * 1.0 + -y) / 4.0)(1.0, 2.0).circuit
    >>> print(simplify(circuit))
    def circuit(x, y):
        v4 = -y
        v5 = x - y
        v7 = v5 * 0.25
        return v7
    """
    draft = _Draft(circuit)
    for step in circuit.steps:
        if draft.same:
            step = renamed(step, draft.same)
        if not draft.repeated.isdisjoint(step[1]) and type(step[0].kind) is Elementwise:
            step = _unrepeated(draft, step)
        draft.put(step)
    around = draft.around
    if not draft.same and all(map(operator.is_, draft.steps, circuit.steps)):
        return circuit
    return rewired(circuit, draft.steps, draft.same, around.held, around.wires)


class _Draft:
    """The steps so far, and which wire stands for which that gave way."""

    __slots__ = ("around", "repeated", "same", "steps")

    def __init__(self, circuit: Circuit) -> None:
        self.around = Surroundings(circuit)
        self.same: dict[int, int] = {}
        self.steps: list[Step] = []
        self.repeated = {w for w in circuit.held if circuit.wires[w].shape}
        """Wires on which numbers may be repeated: they are read where they are not."""

    def put(self, step: Step) -> None:
        """Enter a step as the rules leave it."""
        if step[0] in _BY_GATE:
            found = _rewritten(self.around, step)
            if not isinstance(found, Step):
                self.same[step[2][0]] = found
                return
            step = found
        if step[0] is broadcast_to:
            self.repeated.add(step[2][0])
        for out in step[2]:
            self.around.makers[out] = step
        self.steps.append(step)


def _rewritten(around: Surroundings, step: Step) -> int | Step:
    """Apply rules to a step until none applies: it becomes another, or a wire stands for it."""
    out = around.wires[step.outs[0]]
    rules = _BY_GATE.get(step.gate, ())
    while rules:
        for rewrite in rules:
            found = rewrite(around, step)
            if isinstance(found, Instead):
                step = step._replace(gate=found.gate, ins=found.ins, params=found.params)
                rules = _BY_GATE.get(step.gate, ())
                break
            if found is not None and alike(around.wires[found], out):
                return found
        else:
            break
    return step


def _unrepeated(draft: _Draft, step: Step) -> Step:
    """Compute an elementwise step on numbers before they are repeated; repeat what comes out.

    Nothing need be repeated where another input fills the shape. Each element meets the same
    numbers. Not for powers: NumPy squares where one exponent of 2 is given for all, and takes
    another way, to the last bit, if it is an array of them.
    """
    around, wires, shape = draft.around, draft.around.wires, draft.around.wires[step.outs[0]].shape
    if step.params or step.gate is power:
        return step
    ins = tuple([_before_repeating(around, wire) for wire in step.ins])
    if ins == step.ins:
        return step
    inner = np.broadcast_shapes(*(wires[wire].shape for wire in ins))
    if inner == shape:
        return step._replace(ins=ins)
    wire = len(wires)
    wires.append(Wire(inner, wires[step.outs[0]].dtype, wire, False))
    draft.put(step._replace(ins=ins, outs=(wire,)))
    repeated = (draft.same.get(wire, wire),)
    return step._replace(gate=broadcast_to, ins=repeated, params={"shape": shape})


def _before_repeating(around: Surroundings, wire: int) -> int:
    """Return the wire whose numbers another one repeats, or the wire itself."""
    source = around.made_by(wire, broadcast_to)
    if source is not None:
        return wire if around.wires[source.ins[0]].weak else source.ins[0]
    return around.scalar(wire) if around.wires[wire].shape else wire


# --- rewrites -----------------------------------------------------------------------------------
# each looks at one step and returns a wire that stands for its output, what it becomes, or None

_ROWS = (reshape, expand_dims, squeeze)


def _input(around: Surroundings, step: Step) -> int:
    return step.ins[0]


def _neutral_factor(around: Surroundings, step: Step) -> int | None:
    x, y = step.ins
    if around.number(y) == 1:
        return None if around.kind(x) == "c" else x
    return y if around.number(x) == 1 and around.kind(y) != "c" else None


def _minus_one(around: Surroundings, step: Step) -> Instead | None:
    x, y = step.ins
    if around.number(x) == -1:
        x, y = y, x
    negates = around.number(y) == -1 and around.kind(x) in "if"
    if negates and alike(around.wires[x], around.wires[step.outs[0]]):
        return Instead(negative, (x,), {})
    return None


def _power_of_two(around: Surroundings, step: Step) -> Instead | None:
    x, y = step.ins
    divisor, out = around.number(y), around.wires[step.outs[0]].dtype
    if divisor is None or around.wires[y].shape or around.kind(x, step.outs[0]) != "ff":
        return None
    if not math.isfinite(divisor) or abs(math.frexp(divisor)[0]) != 0.5:
        return None
    limits = np.finfo(out)
    if not limits.tiny <= 1.0 / abs(divisor) <= limits.max or abs(divisor) > limits.max:
        return None
    weak = around.wires[y].weak
    if not weak and around.wires[y].dtype != out:
        return None
    factor = 1.0 / float(divisor)
    if weak and type(divisor) is not float:
        wire = around.hold(factor, y)
        around.wires[wire] = around.wires[wire]._replace(dtype=np.dtype(np.float64))
    else:
        wire = around.hold(factor if weak else out.type(factor), y)
    return Instead(multiply, (x, wire), {})


def _neutral_term(around: Surroundings, step: Step) -> int | None:
    x, y = step.ins
    if _is_neutral_term(around, x, y, after=step.gate is subtract):
        return x
    return y if step.gate is add and _is_neutral_term(around, y, x, after=False) else None


def _is_neutral_term(around: Surroundings, x: int, y: int, after: bool) -> bool:
    """Tell whether x stays what it is when y is added to it, or (`after` a minus) taken away."""
    zero = around.number(y)
    if zero is None or zero != 0 or "c" in around.kind(x, y):
        return False
    return around.kind(x) in "iu" or (math.copysign(1.0, zero) > 0) == after


def _opposite(around: Surroundings, wire: int, kinds: str) -> int | None:
    """Return the wire of which another is the negative, if their types are one and the same."""
    turned = around.made_by(wire, negative)
    if turned is None or around.kind(wire) not in kinds:
        return None
    inner = turned.ins[0]  # a number may be weak, and its negative not
    return inner if alike(around.wires[inner], around.wires[wire]) else None


def _opposite_term(around: Surroundings, step: Step) -> Instead | None:
    x, y = step.ins
    turned = _opposite(around, y, "fc")
    if step.gate is subtract:
        return None if turned is None else Instead(add, (x, turned), {})
    if turned is None:
        x, turned = y, _opposite(around, x, "fc")
    return None if turned is None else Instead(subtract, (x, turned), {})


def _two_opposites(around: Surroundings, step: Step) -> Instead | None:
    x, y = (_opposite(around, wire, "f") for wire in step.ins)
    return None if x is None or y is None else Instead(step.gate, (x, y), {})


def _sign_is_lost(around: Surroundings, step: Step) -> Instead | None:
    turned = _opposite(around, step.ins[0], "f")
    return None if turned is None else Instead(step.gate, (turned,), step.params)


def _undone(around: Surroundings, step: Step) -> int | None:
    inner = around.made_by(step.ins[0], step.gate)
    same = inner is not None and inner.params == step.params
    return inner.ins[0] if inner is not None and same else None


def _already(around: Surroundings, step: Step) -> int | None:
    return step.ins[0] if around.made_by(step.ins[0], step.gate) is not None else None


def _of_real(around: Surroundings, step: Step) -> int | None:
    return step.ins[0] if around.kind(step.ins[0]) in "iuf" else None


def _small_power(around: Surroundings, step: Step) -> int | Instead | None:
    x, y = step.ins
    exponent = around.number(y)
    if exponent is None or around.wires[y].shape or "c" in around.kind(x, y):
        return None
    if exponent == 2 and alike(around.wires[x], around.wires[step.outs[0]]):
        return Instead(square, (x,), {})
    return x if exponent == 1 else None


def _same_twice(around: Surroundings, step: Step) -> int | None:
    return step.ins[0] if step.ins[0] == step.ins[1] else None


def _decided(around: Surroundings, step: Step) -> int | Instead | None:
    condition, x, y = step.ins
    holds = around.number(condition)
    if holds is None and x != y:
        return None
    taken, out = around.wires[x if holds or x == y else y], around.wires[step.outs[0]]
    if taken.dtype == out.dtype and taken.shape != out.shape:
        return Instead(broadcast_to, (taken.id,), {"shape": out.shape})
    return taken.id


def _cast_back(around: Surroundings, step: Step) -> int | None:
    inner = around.made_by(step.ins[0], cast)
    if inner is None:
        return step.ins[0]
    first, middle = around.wires[inner.ins[0]].dtype, inner.params["dtype"]
    there_and_back = first == step.params["dtype"] and np.can_cast(first, middle)
    return inner.ins[0] if there_and_back else step.ins[0]


def _turned_twice(around: Surroundings, step: Step) -> int | Instead | None:
    axes = step.params["axes"]
    inner = around.made_by(step.ins[0], transpose)
    if inner is not None:
        both = tuple([inner.params["axes"][k] for k in axes])
        return Instead(transpose, inner.ins, {"axes": both})
    return step.ins[0] if axes == tuple(range(len(axes))) else None


def _read_in_rows(around: Surroundings, step: Step) -> int | Instead | None:
    out = around.wires[step.outs[0]]
    if around.wires[step.ins[0]].shape == out.shape:
        return step.ins[0]
    inner = around.made_by(step.ins[0], *_ROWS)
    if inner is None or _order(inner) != "C" or _order(step) != "C":
        return None
    if alike(around.wires[inner.ins[0]], out):
        return inner.ins[0]
    return Instead(reshape, inner.ins, step.params) if step.gate is reshape else None


def _order(step: Step) -> str:
    return step.params.get("order", "C")


def _repeated_twice(around: Surroundings, step: Step) -> int | Instead | None:
    inner = around.made_by(step.ins[0], broadcast_to)
    return step.ins[0] if inner is None else Instead(broadcast_to, inner.ins, step.params)


def _everything(around: Surroundings, step: Step) -> int | None:
    whole = all(item is ... or item == slice(None) for item in step.params["index"])
    return step.ins[0] if whole else None


RULES: tuple[Rule, ...] = (
    Rule("positive copy", _input, "+x and a copy of x are x: nothing in a circuit is written"),
    Rule("multiply", _neutral_factor, "x · 1 and 1 · x are x, NaN and −0.0 too"),
    Rule("multiply", _minus_one, "x · −1 only turns the sign"),
    Rule("multiply divide", _two_opposites, "two turned signs cancel in a product or quotient"),
    Rule("divide", _power_of_two, "x / 2ᵏ and x · 2⁻ᵏ are one real number, rounded once"),
    Rule("add subtract", _neutral_term, "x − 0.0 and x + (−0.0) are x; of integers x ± 0"),
    Rule("add subtract", _opposite_term, "x − y is x + (−y) by definition; so is x + y x − (−y)"),
    Rule("negative logical_not invert conjugate flip", _undone, "done twice, it is undone"),
    Rule("absolute square", _sign_is_lost, "|−x| is |x| and (−x)² is x², by the product's sign"),
    Rule("absolute", _already, "an absolute value is its own"),
    Rule("conjugate real", _of_real, "a real number is its own conjugate and real part"),
    Rule("power", _small_power, "x¹ is x, and for x² NumPy's power multiplies x by x itself"),
    Rule("maximum minimum fmax fmin logical_and logical_or bitwise_and bitwise_or", _same_twice,
         "of two equals either may be taken"),
    Rule("where", _decided, "a choice known beforehand, or between equals, is no choice"),
    Rule("astype", _cast_back, "a cast to its own type, or to a wider one and back, is exact"),
    Rule("transpose", _turned_twice, "two turns are one; that to the same order is none"),
    Rule("reshape expand_dims squeeze", _read_in_rows, "the order in rows outlives any shape"),
    Rule("broadcast_to", _repeated_twice, "repeated to a shape and on to a larger one is once"),
    Rule("getitem", _everything, "x[...] and x[:, :] read all of x"),
    Rule("prod max min", _input, "a fold over axes of length one takes each element as it is"),
    Rule("concatenate", _input, "what is as large as its first part has no other"),
)  # fmt: skip

_BY_GATE: dict[Gate, tuple[Rewrite, ...]] = {
    NAMES[name]: tuple(rule.rewrite for rule in RULES if name in rule.gates.split())
    for rule in RULES
    for name in rule.gates.split()
}
