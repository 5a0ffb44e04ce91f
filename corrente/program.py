"""The object users hold: a function's circuit, forward and backward, with every number kept."""

from __future__ import annotations

import json
import os
import tempfile
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from corrente import listing as listings
from corrente import narrator
from corrente.backprop import sweep
from corrente.circuit import Circuit, Contribution, Run
from corrente.derivatives import Argnums, Choice, choose, own, scalar, seed, zero
from corrente.errors import BadValue, CorrenteError, NotWritten
from corrente.figures import summarise
from corrente.pages import write_page
from corrente.places import Place, locate
from corrente.recording import (
    Recording,
    freeze,
    function_name,
    result_wires,
    run,
    unboxed,
)
from corrente.scene import lay_out
from corrente.source import c, javascript, python
from corrente.source.joining import join
from corrente.tape import Tape
from corrente.tracer import Traced
from corrente.views import latex, svg, text, tree
from corrente.widgets import HEIGHT, make_widget
from corrente.words import Says


def trace(
    f: Callable[..., Any],
    argnums: Argnums | None = None,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Program]:
    """Return a function that runs `f` and gives back its Program: the circuit and its numbers.

    All float leaves of the arguments are differentiated unless `argnums` or `argnames` says
    which; the others are data, and drawn apart from the parameters.

    >>> t = trace(lambda x, y, z: (x + y) * z)(-2.0, 5.0, -4.0)
    >>> t.value, t.grads
    (-12.0, (-4.0, -4.0, 3.0))
    """

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Program:
        told = argnums is not None or argnames is not None
        choice = choose(f, argnums or 0, argnames, args, kwargs) if told else None
        keys = None if choice is None else choice.keys
        recording = run(f, args, kwargs, keys, all_inputs=True, detailed=True)
        return _program(recording, choice)

    return wrapped


def _program(recording: Recording, choice: Choice | None) -> Program:
    tree, wires = result_wires(recording)
    outs = [wire for wire in wires if wire is not None]
    circuit = freeze(recording, outs)
    value = tree.build([unboxed(recording.tape, leaf) for leaf in tree.leaves])
    parameters = frozenset(recording.tape.wanted)
    name = function_name(recording.function)
    try:
        last, wire = scalar(recording)
    except CorrenteError as refusal:
        run_ = Run(circuit, _Snapshots(recording.tape), parameters=parameters, name=name)
        return Program(run_, None, {}, value, recording, choice, refusal)
    watch, found = _sweep_traced(recording, last, wire)
    gradients = {w: watch.value(b) for w, b in watch.gradients.items()}
    gradients |= {w: watch.value(watch.wire(g)) for w, g in found.items()}
    contributions = {
        w: [Contribution(step, position, watch.value(b)) for step, position, b in parts]
        for w, parts in watch.contributions.items()
    }
    run_ = Run(circuit, _Snapshots(recording.tape), gradients, contributions, parameters, name)
    backward = _freeze_backward(recording, circuit, watch, found)
    return Program(run_, backward, watch.kept, value, recording, choice, None)


class _Snapshots(Sequence[Any]):
    """The values of a finished tape by wire, each as it was when it was made."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def __getitem__(self, wire: Any) -> Any:
        return self.tape.snapshot(wire)

    def __len__(self) -> int:
        return len(self.tape.values)


class _Watch:
    """Boxes forward values as the sweep asks for them, and notes each gradient's wire."""

    def __init__(self, forward: Tape) -> None:
        self.forward = forward
        self.tape = Tape(detailed=False)
        self.kept: dict[int, int] = {}
        """Forward wire → its wire in the backward circuit."""
        self.gradients: dict[int, int] = {}
        self.contributions: dict[int, list[tuple[int, int, int]]] = {}
        self.boxes: dict[int, Traced] = {}
        self._made = {out for step in forward.recorded for out in step[2]} | set(forward.inputs)

    def get(self, wire: int) -> Any:
        """Return a forward value as a box on the backward tape; note that it is kept."""
        box = self.boxes.get(wire)
        if box is None:
            value = self.forward.snapshot(wire)
            if type(value) in (int, float) and wire not in self._made:
                return value  # a literal stays one
            self.kept[wire] = self.tape.argument(value, wanted=False)
            box = self.boxes[wire] = Traced(self.tape, self.kept[wire], value)
        return box

    def wire(self, gradient: Any) -> int:
        if isinstance(gradient, Traced):
            return gradient.wire
        self.tape.values.append(gradient)
        return len(self.tape.values) - 1

    def value(self, wire: int) -> Any:
        return self.tape.snapshot(wire)

    def enter(self, step: int, wires: tuple[int, ...], gradients: Sequence[Any]) -> None:
        self.tape.origin = step
        for wire, gradient in zip(wires, gradients, strict=True):
            if gradient is not None:
                self.gradients[wire] = self.wire(gradient)

    def contribute(self, wire: int, step: int, position: int, gradient: Any) -> None:
        entry = (step, position, self.wire(gradient))
        self.contributions.setdefault(wire, []).append(entry)


def _sweep_traced(
    recording: Recording, value: Any, wire: int | None
) -> tuple[_Watch, dict[int, Any]]:
    """Run the sweep on boxes, so that the backward pass is a circuit as well."""
    forward = recording.tape
    watch = _Watch(forward)
    first = seed(value)
    box = Traced(watch.tape, watch.tape.argument(first, wanted=False), first)
    seeds = {} if wire is None else {wire: box}
    forward.check()
    count = len(forward.values)
    wanted = sorted(forward.wanted)
    found = sweep(forward.recorded, watch.get, count, seeds, wanted, watch)
    watch.tape.close()
    forward.settle()
    return watch, found


def _freeze_backward(
    recording: Recording, circuit: Circuit, watch: _Watch, found: dict[int, Any]
) -> Run:
    given = circuit.names
    names = {b: given.get(w, f"v{w}") for w, b in watch.kept.items()}
    names[0] = "d" + (given.get(circuit.outs[0], "out") if circuit.outs else "out")
    outs = [watch.wire(g) for g in found.values()]
    gradients = watch.gradients | dict(zip(found, outs, strict=True))
    for wire, b in gradients.items():
        names.setdefault(b, "d" + given.get(wire, f"v{wire}"))
    frozen = watch.tape.freeze(outs, names)
    read = {0, *outs, *(wire for step in frozen.steps for wire in step.ins)}
    # asked for is not needed: many rules look at a value's shape only
    watch.kept = {wire: b for wire, b in watch.kept.items() if b in read}
    # their lines are the rules' own; what they belong to is said by their origin
    steps = tuple(step._replace(where=None) for step in frozen.steps)
    frozen = replace(frozen, steps=steps, ins=tuple(wire for wire in frozen.ins if wire in read))
    return Run(frozen, _Snapshots(watch.tape), name=f"{function_name(recording.function)} backward")


class Reading(NamedTuple):
    """One wire looked at: its name, value, gradient (None where none was asked for) and place."""

    name: str
    value: Any
    grad: Any
    place: Place | None
    wire: int

    @property
    def line(self) -> int | None:
        """The line of source that made the value; None for an input."""
        return self.place.line if self.place is not None else None


@dataclass(frozen=True, eq=False)
class Program:
    """A function traced at one point: value, gradients, and the circuit with both on every wire.

    `t.value`, `t.grads`; `t["q"]` reads a wire by the user's variable name (the last one of that
    name, `t["q", k]` the k-th); `t.show()`, `t.save(path)`, `t.explain(lang)`, `t.listing()`.
    """

    run: Run
    backward: Run | None
    kept: Mapping[int, int]
    value: Any
    _recording: Recording
    _choice: Choice | None
    _refusal: CorrenteError | None

    @property
    def circuit(self) -> Circuit:
        """The forward circuit."""
        return self.run.circuit

    @cached_property
    def grads(self) -> Any:
        """The gradients, in the structure of the arguments: a tuple, or as argnums chose."""
        if self._refusal is not None:
            raise self._refusal
        found: dict[int | str, Any] = {}
        for argument in self._recording.arguments:
            if argument.wanted:
                leaves = [self._gradient(wire) for wire in argument.wires]
                found[argument.key] = argument.tree.build(leaves)
        return tuple(found.values()) if self._choice is None else self._choice.arrange(found)

    def _gradient(self, wire: int | None) -> Any:
        if wire is None or wire not in self.run.parameters:
            return None
        value = self.run.values[wire]
        found = self.run.gradients.get(wire)
        return zero(value) if found is None else own(found, value)

    def __getitem__(self, key: str | tuple[str, int]) -> Reading:
        name, k = key if isinstance(key, tuple) else (key, -1)
        wires = [wire for wire, known in self.circuit.names.items() if known == name]
        if not wires or not -len(wires) <= k < len(wires):
            raise _no_wire(name, k, len(wires), sorted(set(self.circuit.names.values())))
        return self._reading(name, sorted(wires)[k])

    def _reading(self, name: str, wire: int) -> Reading:
        maker = self.circuit.makers.get(wire)
        where = None if maker is None else self.circuit.steps[maker].where
        place = None if where is None else locate(where)
        return Reading(name, self.run.values[wire], self.run.gradients.get(wire), place, wire)

    def __iter__(self) -> Iterator[Reading]:
        """Go through the wires that have names, in order."""
        for wire, name in sorted(self.circuit.names.items()):
            yield self._reading(name, wire)

    # --- seeing -----------------------------------------------------------------------------

    def show(
        self, lang: str = "en", *, fold: str = "auto", browser: bool = False, **options: Any
    ) -> None:
        """Print the circuit in the terminal, values above the wires and gradients below.

        In a large circuit a function made of several gates is drawn as one box, and gates that
        only decide the path are left out; `fold="functions"` does so in any, "none" in none.
        `browser=True` opens the living page instead, from a file in the temporary folder.
        """
        if browser:
            path = Path(tempfile.mkdtemp(prefix="corrente-")) / "circuit.html"
            self.save(path, lang, fold=fold)
            webbrowser.open(path.as_uri())
            return
        if tree.suits(self.run, fold):
            tree.show(self.run, lang, **options)
            return
        scene = lay_out(self.run, lang=lang, metric=text.METRIC, fold=fold)
        text.show(scene, lang=lang, **options)

    def widget(self, lang: str = "en", *, fold: str = "auto", height: int = HEIGHT) -> Any:
        """Return the living page as a Jupyter widget; needs `pip install "corrente[widget]"`.

        What is done in the page comes back: `w.wire` is the key of the wire looked at, for
        `t[w.wire]`, and `w.moved` holds the inputs moved. `height` is in pixels, `fold` as for
        `show`. Raises MissingExtra without anywidget.
        """
        return make_widget(self.run, self.backward, self.kept, lang, fold=fold, height=height)

    def explain(self, lang: str = "en") -> str:
        """Tell the forward and the backward pass step by step, "en" or "pt"."""
        return narrator.explain(self.run, lang)

    def listing(self, lang: str = "en") -> str:
        """Return the user's source with each line's value and gradient in the margin."""
        return listings.annotate(self.run, lang)

    def code(self, language: str = "python", lang: str = "en") -> str:
        """Return the forward and the backward pass as source that runs alone.

        `language` is "python" (readable NumPy), "c" (C99) or "javascript"; `lang` is that of the
        comments. Raises BadValue for another language, NotSupported for a gate that it lacks.
        """
        writers = {"python": python.write, "c": c.write, "javascript": javascript.write}
        if language not in writers:
            listed = ", ".join(f'"{name}"' for name in writers)
            raise BadValue(
                Says("no code in {0} yet.", "ainda não há código em {0}.").fill(repr(language)),
                Says("ask for one of {0}.", "peça uma destas: {0}.").fill(listed),
            )
        return writers[language](join(self.run, self.backward, self.kept), self.run.values, lang)

    def __str__(self) -> str:
        if tree.suits(self.run, "auto"):
            return tree.draw(self.run)
        return text.draw(lay_out(self.run, metric=text.METRIC))

    def __repr__(self) -> str:
        count = len(self.circuit.steps)
        return f"<Program {self.run.name}: {count} steps, value {summarise(self.value)}>"

    def _repr_svg_(self) -> str:
        return svg.draw(lay_out(self.run))

    def json(self) -> dict[str, Any]:
        """Return the run as plain data: wires with values and gradients, and steps."""
        circuit = self.circuit
        return {
            "version": 1,
            "name": self.run.name,
            "inputs": list(circuit.ins),
            "parameters": sorted(self.run.parameters),
            "outputs": list(circuit.outs),
            "wires": [
                {
                    "id": wire.id,
                    "name": circuit.names.get(wire.id),
                    "shape": list(wire.shape),
                    "dtype": str(wire.dtype),
                    "value": _plain(self.run.values[wire.id]),
                    "gradient": _plain(self.run.gradients.get(wire.id)),
                }
                for wire in circuit.wires
            ],
            "steps": [
                {
                    "gate": step.gate.name,
                    "inputs": list(step.ins),
                    "outputs": list(step.outs),
                    "code": circuit.code(step),
                    "line": locate(step.where).line if step.where else None,
                }
                for step in circuit.steps
            ],
        }

    def save(self, path: str | os.PathLike[str], lang: str = "en", *, fold: str = "auto") -> None:
        """Write the drawing to a file: .html, .svg, .tex, .txt or .json; whole or not at all.

        HTML is the living page: one file that needs nothing else. `fold` is as for `show`; JSON
        holds every step.
        """
        path = Path(path)
        makers: dict[str, Callable[[], str]] = {
            ".html": lambda: write_page(self.run, self.backward, self.kept, lang, fold),
            ".svg": lambda: svg.draw(lay_out(self.run, lang=lang, fold=fold)),
            ".tex": lambda: latex.draw(lay_out(self.run, lang=lang, fold=fold), self.run),
            ".txt": lambda: (
                text.draw(lay_out(self.run, lang=lang, metric=text.METRIC, fold=fold)) + "\n"
            ),
            ".json": lambda: json.dumps(self.json(), indent=1, ensure_ascii=False) + "\n",
        }
        if path.suffix not in makers:
            raise BadValue(
                Says("cannot save a drawing as {0}.", "não sei guardar um desenho como {0}.").fill(
                    repr(path.suffix or path.name)
                ),
                Says("choose one of: {0}.", "escolha um destes: {0}.").fill(", ".join(makers)),
            )
        write_whole(path, makers[path.suffix]())


def write_whole(path: Path, content: str) -> None:
    """Write a text file under a temporary name and move it into place, or raise NotWritten."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            os.unlink(temporary)
        if isinstance(error, OSError | ValueError):  # a name may hold what no name can
            raise _not_written(path, error) from error
        raise


def _not_written(path: Path, error: OSError | ValueError) -> NotWritten:
    reason: Says | str = str(getattr(error, "strerror", None) or error)
    if isinstance(error, FileNotFoundError):
        reason = Says("there is no folder {0}", "não existe a pasta {0}").fill(str(path.parent))
    return NotWritten(
        Says("cannot write {0}: {1}.", "não dá para gravar {0}: {1}.").fill(str(path), reason),
        Says("a folder that exists and is yours.", "uma pasta que exista e seja sua."),
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _plain(value: Any) -> Any:
    """Turn a number or an array into JSON; what JSON has no number for becomes a string."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind == "c":
        return [_plain(np.real(array)), _plain(np.imag(array))]
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = array.astype(object)
        flat = [v if np.isfinite(v) else str(v) for v in array.ravel()]
        return np.array(flat, object).reshape(array.shape).tolist()
    return array.tolist()


def _no_wire(name: str, k: int, count: int, known: list[str]) -> BadValue:
    number = f", {k}" if k != -1 else ""
    return BadValue(
        Says(
            "no wire {0}{1} in this circuit ({2} of that name).",
            "não há fio {0}{1} neste circuito ({2} com esse nome).",
        ).fill(repr(name), number, count),
        Says("the names are: {0}.", "os nomes são: {0}.").fill(", ".join(known)),
        False,
    )
