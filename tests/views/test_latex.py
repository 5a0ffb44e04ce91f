"""LaTeX: what is written, and that it compiles alone where a TeX is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from runs import Writer, chain, fork, network, square, xyz

import corrente as co
from corrente.errors import BadValue
from corrente.gates.arithmetic import multiply, sqrt
from corrente.scene import CELLS, lay_out
from corrente.views import latex
from corrente.views.derivation import derive
from corrente.views.typeset import escape, expression, number, symbol

ENGINE = next(filter(shutil.which, ("pdflatex", "tectonic", "lualatex", "xelatex")), None)
NASTY = "50% of W_1 & {x}^2 #$~\\ <b> \"'` | ação π ×÷√ 重み \u202e 😀 ÿ ő"


def drawn(run, **options) -> str:
    return latex.draw(lay_out(run, **options), run)


def balanced(text: str) -> bool:
    """Check that braces and environments close in the order they opened."""
    bare = re.sub(r"%.*", "", re.sub(r"\\[\\{}%]", "", text))
    depth = 0
    for brace in re.findall(r"[{}]", bare):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return False
    lefts, rights = (len(re.findall(rf"\\{side}(?![a-z])", text)) for side in ("left", "right"))
    return not depth and not stack and lefts == rights


def compiled(text: str, folder: Path) -> str:
    """Compile a document and return the log; the test fails where TeX finds an error."""
    (folder / "c.tex").write_text(text, encoding="ascii")
    options = [] if ENGINE == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    ended = subprocess.run(
        [str(ENGINE), *options, "c.tex"], cwd=folder, capture_output=True, timeout=120
    )
    log = ended.stdout.decode(errors="replace")
    assert ended.returncode == 0, log[-2000:]
    assert (folder / "c.pdf").stat().st_size > 1000
    return log


def arrays():
    def loss(W, b, X):
        h = np.maximum(X @ W + b, 0.0)
        return np.mean(h**2 / (1.0 + np.exp(-h)))

    W, b = np.array([[1.0, -1.0], [0.5, 2.0]]), np.array([0.1, -0.2])
    X = np.array([[1.0, 2.0], [3.0, -1.5], [0.0, 1.0]])
    return co.trace(loss, argnums=(0, 1))(W, b, X).run


def nasty():
    w = Writer()
    x, y = w.given(4.0, NASTY), w.given(np.array([1.0, np.nan, -np.inf, 1e-300]), "größe_π")
    return w.run(w.step(multiply, w.step(sqrt, x), y, name="50%"), wanted=(x,), name="f_&%")


RUNS = [xyz, fork, square, network, arrays, nasty, lambda: chain(200)]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_it_is_ascii_and_balanced(run, lang):
    text = drawn(run(), lang=lang)
    assert text.isascii()
    assert balanced(text)
    assert text.startswith("% ")
    assert r"\documentclass" in text


def test_the_words_are_in_the_language_of_the_picture():
    assert r"\textbf{Para tr\'{a}s}" in drawn(xyz(), lang="pt")
    assert r"\textbf{Backward}" in drawn(xyz(), lang="en")


def test_the_balance_itself_can_tip():
    text = drawn(xyz())
    assert not balanced(text.replace(r"\end{aligned}", "", 1))
    assert not balanced(text.replace("}", "", 1))
    assert not balanced(drawn(square()).replace(r"\right|", "|", 1))


@pytest.mark.parametrize("run", [square, arrays, nasty])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_it_compiles_alone(run, lang, tmp_path):
    text = drawn(run(), lang=lang)
    if ENGINE is None:
        assert balanced(text)  # all that can be said without a TeX
        return
    log = compiled(text, tmp_path)
    assert "Missing character" not in log
    if ENGINE != "tectonic":
        # the circuit, what is given, forward, backward
        assert re.search(r"Output written on c\.pdf \(4 pages", log.replace("\n", ""))


def test_what_is_wrong_does_not_compile(tmp_path):
    wrong = drawn(xyz()).replace(r"\end{aligned}", "", 1)
    if ENGINE is None:
        assert not balanced(wrong)
        return
    with pytest.raises(AssertionError):
        compiled(wrong, tmp_path)


def test_the_derivation_of_the_first_circuit():
    given, forward, backward = derive(xyz())
    assert given == ("Given", ["x &= -2", "y &= 5", "z &= -4"])
    assert forward[1] == [
        "q &= x + y = -2 + 5 = 3",
        r"f &= q \cdot z = 3 \cdot \left(-4\right) = -12",
    ]
    assert backward[0] == "Backward"
    assert backward[1] == [
        r"\frac{\partial f}{\partial f} &= 1",
        r"\frac{\partial f}{\partial q} &= \frac{\partial f}{\partial f} \cdot "
        r"\frac{\partial f}{\partial q} = 1 \cdot \left(-4\right) = -4",
        r"\frac{\partial f}{\partial z} &= \frac{\partial f}{\partial f} \cdot "
        r"\frac{\partial f}{\partial z} = 1 \cdot 3 = 3",
        r"\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial q} \cdot "
        r"\frac{\partial q}{\partial x} = -4 \cdot 1 = -4",
        r"\frac{\partial f}{\partial y} &= \frac{\partial f}{\partial q} \cdot "
        r"\frac{\partial q}{\partial y} = -4 \cdot 1 = -4",
    ]
    assert [heading for heading, _ in derive(xyz(), "pt")] == [
        "Dados",
        "Para a frente",
        "Para trás",
    ]


def test_the_equations_hold():
    """The numbers on the two sides of every last equals sign agree."""
    checked = 0
    for line in (line for _, lines in derive(square()) for line in lines):
        *_, before, after = line.replace("&", "").split(" = ")
        numbers = re.sub(r"\\left|\\right", "", before).replace(r"\cdot", "*").replace("^", "**")
        if re.fullmatch(r"[-\d.*+() ]+", numbers):
            assert eval(numbers) == pytest.approx(float(after))  # its own output: digits and signs
            checked += 1
    assert checked >= 8


def test_forks_are_written_as_sums():
    lines = derive(square())[2][1]
    assert r"\left.\frac{\partial loss}{\partial x}\right|_{s,\,1}".replace(
        "loss", r"\mathit{loss}"
    ) in (line.partition(" &=")[0] for line in lines)
    assert lines[-1].endswith("&= 0.5 + 3 + 3 = 6.5")


def test_arrays_are_written_out_while_they_are_small():
    lines = [line for _, each in derive(arrays()) for line in each]
    assert any(r"\begin{pmatrix} 1 & -1 \\ 0.5 & 2 \end{pmatrix}" in line for line in lines)
    assert any(r"\odot" in line for line in lines)
    large = [line for _, each in derive(network(), "pt") for line in each]
    assert any(r"\text{forma (20, 6), norma" in line for line in large)
    assert not any(r"\begin{pmatrix}" in line for line in large if "X" in line.partition("&")[0])


def test_long_circuits_say_what_they_leave_out():
    lines = derive(chain(400))[1][1]
    assert len(lines) == 121
    assert sum("leaving out 280 equations" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("code", "tex"),
    [
        ("x + y * z", r"x + y \cdot z"),
        ("(x + y) * z", r"\left(x + y\right) \cdot z"),
        ("x - (y - z)", r"x - \left(y - z\right)"),
        ("-x ** 2", "-x^{2}"),
        ("(-x) ** 2", r"\left(-x\right)^{2}"),
        ("x * -y", r"x \cdot \left(-y\right)"),
        ("1.0 / (1.0 + np.exp(-x))", r"\frac{1}{1 + e^{-x}}"),
        ("W @ x", r"W\, x"),
        ("np.sqrt(x)", r"\sqrt{x}"),
        ("np.sum(x, axis=0)", r"\operatorname{sum}\left(x,\, \text{axis}=0\right)"),
        ("np.maximum(x, 0)", r"\max\left(x,\, 0\right)"),
        ("x[0, 1:3]", r"x[\text{0, 1:3}]"),
        ("x.T", r"x^{\top}"),
        ("x < y", "x < y"),
        ("def", r"\texttt{def}"),
    ],
)
def test_numpy_in_mathematics(code, tex):
    assert expression(code, lambda name: (name, 5)) == tex


def test_names_and_texts_are_escaped():
    for text in (NASTY, *map(chr, range(0x500)), *map(chr, range(0x2000, 0x2300))):
        assert escape(text).isascii()
        assert balanced(escape(text))
    assert escape("xʸ") == r"x\textsuperscript{y}"
    assert symbol("π_2") == r"\pi_{2}"
    assert symbol("x_y") == r"\mathit{x\_y}"
    assert number(np.nan) == r"\text{nan}"


def test_cells_are_refused():
    with pytest.raises(BadValue, match="cells"):
        latex.draw(lay_out(xyz(), metric=CELLS), xyz())


def test_operations_on_elements_are_marked():
    def tex(code):
        return expression(code, lambda name: (name, 5), arrays=True)

    assert tex("x * y / z") == r"x \odot y \oslash z"
    assert tex("x ** 2") == r"x^{\circ 2}"
    assert tex("np.exp(x)") == r"\exp\left(x\right)"
