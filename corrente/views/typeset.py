"""Names, numbers and lines of NumPy as LaTeX, in plain ASCII that any TeX sets."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from corrente import numerals

MATRIX = 16
"""Arrays of no more elements than this, in rows of at most `ROW`, are written out."""

ROW = 6

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "|": r"\ensuremath{|}",
    "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
    "-": "{-}", "\N{NO-BREAK SPACE}": "~", "\n": " ",
}  # fmt: skip
_SIGNS = {
    "∂": r"\partial", "×": r"\times", "÷": r"\div", "Σ": r"\Sigma", "√": r"\surd", "≤": r"\leq",
    "≥": r"\geq", "≠": r"\neq", "≡": r"\equiv", "∅": r"\emptyset", "−": "-", "·": r"\cdot",
    "←": r"\leftarrow", "→": r"\rightarrow", "⋯": r"\cdots", "…": r"\ldots", "μ": r"\mu",
    "µ": r"\mu", "±": r"\pm", "∞": r"\infty", "∏": r"\prod", "∑": r"\sum", "‖": r"\|",
    "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "⌊": r"\lfloor", "⌋": r"\rfloor",
    "⌈": r"\lceil", "⌉": r"\rceil", "°": r"^{\circ}", "ᵀ": r"^{\top}", "⊙": r"\odot",
}  # fmt: skip
_ACCENTS = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0308": r'\"',
    "\u0304": r"\=", "\u0307": r"\.", "\u030c": r"\v", "\u0327": r"\c", "\u030a": r"\r",
    "\u0306": r"\u", "\u030b": r"\H",
}  # fmt: skip
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = frozenset(_LETTERS.split())


def escape(text: str) -> str:
    """Write any text as LaTeX text; what TeX has no sign for becomes its number in brackets.

    >>> print(escape("50% of W_1 & ação × π"))
    50\\% of W\\_1 \\& a\\c{c}\\~{a}o \\ensuremath{\\times} \\ensuremath{\\pi}
    """
    return "".join(_escaped(character) for character in unicodedata.normalize("NFC", text))


def _escaped(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character if character.isprintable() else " "
    sign = _SIGNS.get(character) or _greek(character)
    if sign:
        return rf"\ensuremath{{{sign}}}"
    parts = unicodedata.normalize("NFKD", character)
    if parts.isascii():  # a raised digit, a letter of another width
        plain = "".join(_escaped(part) for part in parts)
        kind = unicodedata.decomposition(character).partition(" ")[0]
        raised = {"<super>": "superscript", "<sub>": "subscript"}.get(kind)
        return rf"\text{raised}{{{plain}}}" if raised else plain
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        letter = {"i": r"\i", "j": r"\j"}.get(parts[0], parts[0])
        return rf"{_ACCENTS[parts[1]]}{{{letter}}}"
    return "" if unicodedata.combining(character) else f"[{ord(character):04X}]"


def _greek(character: str) -> str:
    """Return the command of a Greek letter, "" for any other."""
    words = unicodedata.name(character, "").split()
    if len(words) != 4 or words[0] != "GREEK" or words[2] != "LETTER":
        return ""
    name = {"LAMDA": "lambda", "OMICRON": ""}.get(words[3], words[3].lower())
    name = name.capitalize() if words[1] == "CAPITAL" else name
    return rf"\{name}" if name in _GREEK else ""


def symbol(name: str) -> str:
    """Write a variable's name in mathematics: a number at its end becomes an index.

    >>> symbol("x"), symbol("w10"), symbol("dW"), symbol("sigma"), symbol("learning_rate")
    ('x', 'w_{10}', '\\\\mathit{dW}', '\\\\sigma', '\\\\mathit{learning\\\\_rate}')
    """
    found = re.fullmatch(r"(.*?[^\d_])_?(\d+)", name)
    stem, index = found.groups() if found else (name, "")
    if stem in _GREEK:
        letter = rf"\{stem}"
    elif len(stem) == 1:
        letter = stem if stem.isascii() and stem.isalpha() else _greek(stem) or _worded(stem)
    elif re.fullmatch(r"\w+", stem, re.ASCII):
        letter = rf"\mathit{{{stem.replace('_', chr(92) + '_')}}}"
    else:
        letter = _worded(stem)
    return f"{letter}_{{{index}}}" if index else letter


def _worded(text: str) -> str:
    return rf"\text{{{escape(text)}}}"


def number(value: Any) -> str:
    """Write a number in mathematics.

    >>> number(-12.0), number(1.5e-07), number(float("inf"))
    ('-12', '1.5 \\\\cdot 10^{-7}', '\\\\infty')
    """
    text = numerals.number(value).replace("−", "-")
    if isinstance(value, bool | np.bool_):
        return rf"\text{{{text}}}"
    text = re.sub(r"([\d.]+)e(-?\d+)", r"\1 \\cdot 10^{\2}", text)
    return text.replace("inf", r"\infty").replace("nan", r"\text{nan}").replace("j", r"\,i")


def is_small(value: Any) -> bool:
    """Tell whether a value is written out: a number, or a small array of at most two axes."""
    array = np.asarray(value)
    if array.ndim == 0:
        return array.dtype.kind in "biufc"
    fits = 0 < array.size <= MATRIX and array.shape[-1] <= ROW
    return array.ndim <= 2 and array.dtype.kind in "biufc" and fits


def written(value: Any) -> str:
    """Write a small value: a number, or a matrix (a vector is one row)."""
    array = np.asarray(value)
    if array.ndim == 0:
        return number(value)
    rows = array.reshape(-1, array.shape[-1])
    body = r" \\ ".join(" & ".join(number(each) for each in row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


# --- a line of NumPy -----------------------------------------------------------------------------

ADD, MULTIPLY, POWER, ATOM = 1, 2, 4, 5
Spelling = Callable[[str], tuple[str, int]]


class Set(NamedTuple):
    """A piece of mathematics and how tightly it binds."""

    tex: str
    binds: int = ATOM


class Hand(NamedTuple):
    """How a line is written: its names, and whether it works on the elements of arrays."""

    spell: Spelling
    arrays: bool

    @property
    def raised(self) -> str:
        """What stands before the exponent of a power of elements."""
        return r"\circ " if self.arrays else ""


_BINARY: Mapping[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", ADD),
    ast.Sub: (" - ", ADD),
    ast.Mult: (r" \cdot ", MULTIPLY),
    ast.MatMult: (r"\, ", MULTIPLY),
    ast.Mod: (r" \bmod ", MULTIPLY),
}
_OF_ELEMENTS: Mapping[type[ast.operator], tuple[str, int]] = {
    ast.Mult: (r" \odot ", MULTIPLY),
    ast.Div: (r" \oslash ", MULTIPLY),
}
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: " < ",
    ast.LtE: r" \leq ",
    ast.Gt: " > ",
    ast.GtE: r" \geq ",
    ast.Eq: " = ",
    ast.NotEq: r" \neq ",
}
_FUNCTIONS = {
    "log": r"\ln", "exp": r"\exp", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh",
    "cosh": r"\cosh", "tanh": r"\tanh", "arcsin": r"\arcsin", "arccos": r"\arccos",
    "arctan": r"\arctan", "maximum": r"\max", "minimum": r"\min", "max": r"\max", "min": r"\min",
}  # fmt: skip


def expression(code: str, spell: Spelling, *, arrays: bool = False) -> str:
    """Write a line of NumPy in mathematics; `spell` gives each name's TeX and how it binds.

    With `arrays`, products, quotients and powers are marked as those of the elements.

    >>> print(expression("np.exp(-x) / (x + y) ** 2", lambda name: (name, ATOM)))
    \\frac{e^{-x}}{\\left(x + y\\right)^{2}}
    """
    try:
        tree = ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError):
        return rf"\texttt{{{escape(code)}}}"
    return _set(tree, Hand(spell, arrays)).tex


def _set(node: ast.AST, hand: Hand) -> Set:
    writer = _WRITERS.get(type(node))
    if writer is None:
        return Set(rf"\texttt{{{escape(ast.unparse(node))}}}")
    return writer(node, hand)


def _bracketed(found: Set, least: int) -> str:
    return found.tex if found.binds >= least else rf"\left({found.tex}\right)"


def _name(node: Any, hand: Hand) -> Set:
    return Set(*hand.spell(node.id))


def _constant(node: Any, hand: Hand) -> Set:
    if isinstance(node.value, int | float | complex):
        return Set(number(node.value))
    return Set(rf"\text{{{escape(str(node.value))}}}")


def _unary(node: Any, hand: Hand) -> Set:
    if isinstance(node.op, ast.USub):
        return Set("-" + _bracketed(_set(node.operand, hand), MULTIPLY + 1), MULTIPLY)
    sign = "+" if isinstance(node.op, ast.UAdd) else r"\neg "
    return Set(sign + _bracketed(_set(node.operand, hand), POWER), MULTIPLY)


def _binary(node: Any, hand: Hand) -> Set:
    left, right = _set(node.left, hand), _set(node.right, hand)
    if isinstance(node.op, ast.Div) and not hand.arrays:
        return Set(rf"\frac{{{left.tex}}}{{{right.tex}}}", POWER - 1)
    if isinstance(node.op, ast.Pow):
        return Set(f"{_bracketed(left, ATOM)}^{{{hand.raised}{right.tex}}}", POWER)
    if type(node.op) not in (*_BINARY, ast.Div):
        return Set(rf"\texttt{{{escape(ast.unparse(node))}}}")
    sign, binds = (_OF_ELEMENTS if hand.arrays else {}).get(type(node.op)) or _BINARY[type(node.op)]
    # a negative number binds as a product does, but must not follow another sign bare
    tail = _bracketed(right, binds + 1)
    tail = rf"\left({tail}\right)" if tail.startswith("-") else tail
    return Set(_bracketed(left, binds) + sign + tail, binds)


def _compare(node: Any, hand: Hand) -> Set:
    text = _set(node.left, hand).tex
    for operator, right in zip(node.ops, node.comparators, strict=True):
        text += _COMPARISONS.get(type(operator), r"\;?\;") + _set(right, hand).tex
    return Set(text, ADD - 1)


def _call(node: Any, hand: Hand) -> Set:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    words = [
        rf"\text{{{escape(each.arg or '')}}}={_set(each.value, hand).tex}" for each in node.keywords
    ]
    if not words and len(node.args) == 1:
        inner = _set(node.args[0], hand).tex
        if name == "exp" and not hand.arrays:
            return Set(f"e^{{{inner}}}", POWER)
        if name == "sqrt":
            return Set(rf"\sqrt{{{inner}}}")
        if name in ("abs", "absolute", "fabs"):
            return Set(rf"\left|{inner}\right|")
        if name == "square":
            base = _bracketed(_set(node.args[0], hand), ATOM)
            return Set(f"{base}^{{{hand.raised}2}}", POWER)
    inside = r",\, ".join([*(_set(each, hand).tex for each in node.args), *words])
    called = _FUNCTIONS.get(name) or rf"\operatorname{{{escape(name)}}}"
    return Set(rf"{called}\left({inside}\right)")


def _attribute(node: Any, hand: Hand) -> Set:
    if node.attr == "T":
        return Set(_bracketed(_set(node.value, hand), ATOM) + r"^{\top}", POWER)
    return Set(rf"\text{{{escape(ast.unparse(node))}}}")


def _subscript(node: Any, hand: Hand) -> Set:
    index = escape(ast.unparse(node.slice).strip("()"))
    return Set(rf"{_bracketed(_set(node.value, hand), ATOM)}[\text{{{index}}}]")


def _sequence(node: Any, hand: Hand) -> Set:
    inside = r",\, ".join(_set(each, hand).tex for each in node.elts)
    return Set(
        rf"\left[{inside}\right]" if isinstance(node, ast.List) else rf"\left({inside}\right)"
    )


_WRITERS: Mapping[type, Callable[[Any, Hand], Set]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.List: _sequence,
    ast.Tuple: _sequence,
}
