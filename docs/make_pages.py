"""Make what the documentation takes from the product: two pages and every picture.

`python docs/make_pages.py` writes them; with `--check` it writes nothing and fails, naming the
files, when one is stale.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

import benchmark_page
import coverage_page
import gallery_page
import numpy as np
import scaling_page
import training_page

import corrente as co
from corrente import gates, nn, record
from corrente.circuit import Circuit, call_code
from corrente.gates import specials
from corrente.record import COMPOSED, NAMES, Elementwise, Gate
from corrente.scene import lay_out
from corrente.views import svg
from corrente.words import LANGUAGES, Says

DOCS = Path(__file__).parent


def main() -> int:
    """Write what is stale, or with `--check` only name it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    check = parser.parse_args().check
    stale = list(stale_files(anyhow=not check))
    for path, content in stale:
        if check:
            print(f"stale: {path.relative_to(DOCS.parent)} (run: python docs/make_pages.py)")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return 1 if check and stale else 0


def stale_files(anyhow: bool = True) -> Iterator[tuple[Path, str]]:
    """Go through the files that differ from what the product makes now.

    Unless `anyhow`, the coverage of other versions of NumPy and SciPy than these is no mistake.
    """
    for path, content in made_files():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before != content and (anyhow or coverage_page.comparable(before)):
            yield path, content


def made_files() -> Iterator[tuple[Path, str]]:
    """Make every file: path and content."""
    for name, program in programs().items():
        for lang in LANGUAGES:
            ending = "" if lang == "en" else f".{lang}"
            scene = lay_out(program.run, lang=lang)
            yield DOCS / "pictures" / f"{name}{ending}.svg", svg.draw(scene) + "\n"
    for gate in NAMES.values():
        if has_curve(gate):
            yield DOCS / "pictures" / "gates" / f"{gate.name}.svg", curve(gate)
    yield DOCS / "gates.md", gate_page()
    yield DOCS / "coverage.md", coverage_page.page()
    for made in (benchmark_page, gallery_page, scaling_page, training_page):
        yield from made.made_files()


# --- the pictures of the tutorial ---------------------------------------------------------------


def f(x: Any, y: Any, z: Any) -> Any:
    q = x + y
    return q * z


def neuron(w: Any, x: Any) -> Any:
    w0, w1, w2 = w
    x0, x1 = x
    first = w0 * x0
    second = w1 * x1
    both = first + second
    score = both + w2
    turned = -score
    power = np.exp(turned)
    below = 1.0 + power
    return 1.0 / below


def routes(x: Any, y: Any, z: Any, w: Any) -> Any:
    product = x * y
    winner = np.maximum(z, w)
    return 2.0 * (product + winner)


def c(a: Any) -> Any:
    b = a + a
    return b + b


def loss(params: Any, X: Any, Y: Any) -> Any:
    W1, b1, W2, b2 = params
    hidden = nn.relu(X @ W1 + b1)
    scores = hidden @ W2 + b2
    return np.mean((scores - Y) ** 2)


def programs() -> dict[str, co.Program]:
    """Trace the functions that the pages show, at the points where they show them."""
    # halves and whole numbers: the picture is the same on every machine
    params = (
        np.array([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0]]),
        np.array([0.0, 0.5, 0.0]),
        np.array([[1.0], [-0.5], [2.0]]),
        np.array([0.5]),
    )
    X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, -2.0], [2.0, 1.0]])
    Y = np.array([[1.0], [0.0], [2.0], [3.0]])
    return {
        "first": co.trace(f)(-2.0, 5.0, -4.0),
        "neuron": co.trace(neuron, argnums=0)((2.0, -3.0, -3.0), (-1.0, -2.0)),
        "routes": co.trace(routes)(3.0, -4.0, 2.0, -1.0),
        "fork": co.trace(c)(1.0),
        "network": co.trace(loss, argnums=0)(params, X, Y),
    }


# --- a gate's curve -----------------------------------------------------------------------------

WIDTH, HEIGHT, EDGE = 132, 84, 6
STYLE = (
    "<style>@media screen and (prefers-color-scheme:dark){"
    ".axis{stroke:#6e7681}.value{stroke:#57d365}.local{stroke:#ff7f78}}</style>"
)


def has_curve(gate: Gate) -> bool:
    """Tell whether a gate takes one number to one number, so that it can be plotted."""
    if not isinstance(gate.kind, Elementwise) or len(gate.domain) != 1 or gate.takes is not None:
        return False
    return np.asarray(gate.forward(np.array(gate.domain[0]))).dtype.kind == "f"


def curve(gate: Gate) -> str:
    """Plot a gate over its domain: the value as a line, the local gradient as a dashed one."""
    low, high = gate.domain[0]
    x = np.linspace(low, high, 97)
    values = gate.forward(x)
    lines = [("value", "#0a7230", "", values)]
    if gate.differentiable:
        local = co.elementwise_grad(gate.of)(x)
        lines.append(("local", "#c0141b", ' stroke-dasharray="4 3"', local))
    spread = [0.0, *(float(v) for _, _, _, ys in lines for v in ys)]
    bottom, top = min(spread), max(spread)
    top = top if top > bottom else bottom + 1.0

    def at(horizontal: float, vertical: float) -> str:
        px = EDGE + (horizontal - low) / (high - low) * (WIDTH - 2 * EDGE)
        py = HEIGHT - EDGE - (vertical - bottom) / (top - bottom) * (HEIGHT - 2 * EDGE)
        return f"{px:.1f} {py:.1f}"

    axes = f"M{at(low, 0)}L{at(high, 0)}"
    if low < 0 < high:
        axes += f"M{at(0, bottom)}L{at(0, top)}"
    sides = np.zeros(len(x)) if gate.side is None else np.asarray(gate.side(x))
    paths = []
    for kind, colour, dash, ys in lines:
        marks = [
            ("M" if k == 0 or sides[k] != sides[k - 1] else "L") + at(a, b)
            for k, (a, b) in enumerate(zip(x, ys, strict=True))
        ]
        paths.append(
            f'<path class="{kind}" d="{"".join(marks)}" fill="none" stroke="{colour}" '
            f'stroke-width="2"{dash}/>'
        )
    title = escape(f"{gate.name} from {low:g} to {high:g}, and its local gradient, dashed")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{STYLE}',
            f'<path class="axis" d="{axes}" fill="none" stroke="#9aa4af" stroke-width="1"/>',
            *paths,
            "</svg>\n",
        ]
    )


# --- the gate page ------------------------------------------------------------------------------

INTRODUCTION = """# Gates

<!-- Made by docs/make_pages.py from the gate table: change the records, not this page. -->

Every NumPy function that Corrente differentiates is one **gate**: one record in
`corrente/gates/`, and this page is printed from those records. There are {count} of them, and
{composed} more functions are [compositions](#compositions) of gates. A function that is not here
is refused with its name, the line, and how to add its record; nothing is guessed.

Each row says what the gate does forward, what its **local gradient** does to the gradient that
reaches it, in English and in *Portuguese*, and the rule itself: the very code the backward pass
runs, traced and printed by Corrente. `out` is the gate's output and `g` the gradient that reaches
it; a rule without `g` is the local gradient, to be multiplied by `g`. The ranges are where the
tests sample each input. In the curves the solid green line is the value and the dashed red line
the local gradient.

*Cada função do NumPy que o Corrente deriva é uma **porta**: um registro em `corrente/gates/`, do
qual esta página é impressa. `out` é a saída da porta e `g` o gradiente que chega a ela. Nas
curvas, a linha verde cheia é o valor e a vermelha tracejada é o gradiente local.*
"""

COMPOSITIONS = """## Compositions

Written in plain NumPy with the gates above, and drawn as one box where they take several steps.

*Escritas em NumPy com as portas acima, e desenhadas como uma só caixa quando têm vários passos.*

{}.
"""

KINDS = """## Kinds

Every gate states its kind, one of a closed set. Batching and drawing match on the kind and never
on a name.

{}
"""

# gates that users reach by another way than their name in NumPy
WRITTEN = {
    "stop_gradient": "co.stop_gradient",
    "getitem": "x[…]",
    "setitem": "x[…] = y",
    "add_at": "np.add.at",
}

HEADINGS = "| | gate | forward | local gradient | rule |\n|---|---|---|---|---|"


def gate_page() -> str:
    """Print the gate table as one page."""
    composed = ", ".join(f"`{name}`" for name in sorted(map(_public, COMPOSED)))
    parts = [INTRODUCTION.format(count=len(NAMES), composed=len(COMPOSED))]
    for room, found in families():
        title = room.__name__.rpartition(".")[2].capitalize()
        rows = "\n".join(row(gate) for gate in found)
        parts.append(f"## {title}\n\n{_opening(room)}\n\n{HEADINGS}\n{rows}\n")
    parts.append(COMPOSITIONS.format(composed))
    kinds = (f"* **{kind.__name__}**: {_opening(kind)}" for kind in record.Kind.__args__)
    parts.append(KINDS.format("\n".join(kinds)))
    return "\n".join(parts)


def families() -> Iterator[tuple[ModuleType, list[Gate]]]:
    """Go through the files of the drawer, each with the gates written in it, in their order."""
    drawers = (gates, specials)
    rooms = [room for drawer in drawers for room in vars(drawer).values() if inspect.ismodule(room)]
    rooms = sorted(rooms, key=lambda room: room.__name__)
    # a sentence that a line break parts is joined again
    sources = {room: re.sub(r'"\s*\n\s*f?"', "", inspect.getsource(room)) for room in rooms}
    own: dict[ModuleType, list[Gate]] = {room: [] for room in rooms}
    for gate in NAMES.values():
        # records made in a loop share their sentences, and are found by name
        marks = (re.escape(gate.does.en), rf"\b{gate.name}\b")
        found = [room for mark in marks for room in rooms if re.search(mark, sources[room])]
        if not found:
            raise LookupError(f"a gate in no file of the drawer: {gate.name}")
        own[found[0]].append(gate)
    yield from ((room, found) for room, found in own.items() if found)


def row(gate: Gate) -> str:
    """Print one gate as a row of the table."""
    picture = f"![curve of {gate.name}](pictures/gates/{gate.name}.svg)" if has_curve(gate) else ""
    about = [f"**{_code(gate.symbol)}**", _code(_public(gate.of, gate.name)), _kind(gate)]
    if isinstance(gate.kind, Elementwise):
        about.append(
            ", ".join(f"{low:g} … {high:g}".replace("-", "−") for low, high in gate.domain)
        )
    rules = [_code(text) for text in formulas(gate)]
    cells = ["<br>".join(about), _both(gate.does), _both(gate.teaches), "<br>".join(rules)]
    return "| " + " | ".join([picture, *cells]) + " |"


def _kind(gate: Gate) -> str:
    return type(gate.kind).__name__.lower() + ("" if gate.differentiable else ", no gradient")


def _both(says: Says) -> str:
    said = says.fill("x", "y", "z", "w")
    return f"{said.en}<br>*{said.pt}*"


def _code(text: str) -> str:
    """Write code in a cell; a bar would end the cell, and is escaped differently everywhere."""
    return f"<code>{escape(text).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _public(of: Callable[..., Any], name: str | None = None) -> str:
    """Name a function as users write it."""
    return WRITTEN.get(name or "", f"{_home(of)}.{name or of.__name__}")


def _home(of: Callable[..., Any]) -> str:
    """Name the module that users find a function in; ufuncs do not know their own."""
    numpys = getattr(np, of.__name__, None) is of
    home = getattr(of, "__module__", None) or ("numpy" if numpys else "scipy.special")
    return home.replace("numpy", "np").rpartition("corrente.")[2].removeprefix("scipy.")


def _opening(thing: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


# --- the rules, traced --------------------------------------------------------------------------


def formulas(gate: Gate) -> Iterator[str]:
    """Print the local gradient of each input of an elementwise gate, as its rule computes it."""
    if not isinstance(gate.kind, Elementwise) or not gate.differentiable:
        return
    names = ["x", "y", "z"][: len(gate.domain)]
    ins = [0.5 * (low + high) + 0.125 for low, high in gate.domain]
    params = gate.example(np.random.default_rng(0)).params if gate.example else {}
    out = float(np.asarray(gate.forward(*ins, **params)))
    for position, name in enumerate(names):
        if gate.partials is not None:
            rule, given = (
                gate.partials[position],
                {**dict(zip(names, ins, strict=True)), "out": out},
            )
        else:
            assert gate.pulls is not None
            rule = partial(gate.pulls[position], **params)
            given = {"g": 1.0, "out": out, **dict(zip(names, ins, strict=True))}
        text = printed(rule, given) if callable(rule) else f"{rule:g}"
        yield f"{name}: {text}" if len(names) > 1 else text


def printed(rule: Callable[..., Any], given: dict[str, float]) -> str:
    """Trace a rule and print what it computes as one expression of its arguments."""

    def named(*values: Any) -> Any:
        return rule(*values)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    # the circuit takes the names of its inputs from the signature
    vars(named)["__signature__"] = inspect.Signature(
        [inspect.Parameter(name, kind) for name in given]
    )
    return expression(co.trace(named)(*given.values()).circuit)


def expression(circuit: Circuit) -> str:
    """Write a circuit with one output as a single expression, with no more brackets than needed."""
    texts: dict[int, str] = {}
    for wire in circuit.wires:
        if wire.id not in circuit.makers:
            texts[wire.id] = circuit.operand(wire.id)
    for step in circuit.steps:
        names = [f"({texts[wire]})" for wire in step.ins]
        code = step.gate.code
        text = code(names, step.params) if code else call_code(step.gate.name, names, step.params)
        texts[step.outs[0]] = text
    tree = ast.parse(texts[circuit.outs[0]], mode="eval")
    return ast.unparse(_Shortened().visit(tree))


class _Shortened(ast.NodeTransformer):
    """Shorten numbers to six digits, for reading."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, float):
            return ast.Constant(float(f"{node.value:.6g}"))
        return node


if __name__ == "__main__":
    sys.exit(main())
