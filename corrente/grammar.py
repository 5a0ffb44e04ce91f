"""What may be written in an expression: its bounds, its signs, and what is refused by name."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable
from typing import Any

from corrente.errors import ExpressionError
from corrente.words import Says, plain

MOST_CHARACTERS = 10_000
MOST_BRACKETS = 100
MOST_DEPTH = 200
MOST_NODES = 5_000
MOST_DIGITS = 300
MOST_EXPONENT = 1_000

CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}

_SIGNS = {
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∗": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "—": "-",
    "²": "**2",
    "³": "**3",
    "√": "sqrt(…)",
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
}
_PUNCTUATION = " +-*/%@()[]{},.:<>=!'\"&|^~"
_OPEN = {"(": ")", "[": "]", "{": "}"}

_CALL_IT = Says(
    "call the function by its bare name: sum(x), transpose(x).",
    "chame a função pelo nome puro: sum(x), transpose(x).",
)
_CHOOSE = Says("where(x > 0, a, b).", "where(x > 0, a, b).")
_LOGIC = Says(
    "logical_and(p, q), logical_or(p, q), logical_not(p).",
    "logical_and(p, q), logical_or(p, q), logical_not(p).",
)
_SPELL_OUT = Says("write the values out: [1, 2, 3].", "escreva os valores: [1, 2, 3].")
ARITHMETIC = Says(
    "use numbers, the names of arguments, + - * / // % ** @, comparisons, [indices] "
    "and calls such as exp(x) or sum(x, axis=0).",
    "use números, os nomes dos argumentos, + - * / // % ** @, comparações, [índices] "
    "e chamadas como exp(x) ou sum(x, axis=0).",
)
_COMPREHENSION = Says("a comprehension", "uma compreensão")
_SETS = Says("curly braces", "chaves")

_REFUSED: dict[str, tuple[Says, Says]] = {
    "Attribute": (Says("an attribute (.name)", "um atributo (.nome)"), _CALL_IT),
    "Lambda": (plain("lambda"), ARITHMETIC),
    "ListComp": (_COMPREHENSION, _SPELL_OUT),
    "SetComp": (_COMPREHENSION, _SPELL_OUT),
    "DictComp": (_COMPREHENSION, _SPELL_OUT),
    "GeneratorExp": (_COMPREHENSION, _SPELL_OUT),
    "NamedExpr": (
        Says("an assignment (:=)", "uma atribuição (:=)"),
        Says("give the value as an argument: x=3.", "dê o valor como argumento: x=3."),
    ),
    "JoinedStr": (Says("an f-string", "uma f-string"), ARITHMETIC),
    "TemplateStr": (Says("a t-string", "uma t-string"), ARITHMETIC),
    "IfExp": (plain("if … else"), _CHOOSE),
    "BoolOp": (plain("and / or"), _LOGIC),
    "Not": (plain("not"), _LOGIC),
    "BitAnd": (plain("&"), _LOGIC),
    "BitOr": (plain("|"), _LOGIC),
    "Invert": (plain("~"), _LOGIC),
    "BitXor": (plain("^"), Says("** for a power: x**2.", "** para a potência: x**2.")),
    "In": (plain("in"), _CHOOSE),
    "NotIn": (plain("not in"), _CHOOSE),
    "Is": (plain("is"), Says("== compares values.", "== compara valores.")),
    "IsNot": (plain("is not"), Says("!= compares values.", "!= compara valores.")),
    "Dict": (_SETS, _SPELL_OUT),
    "Set": (_SETS, _SPELL_OUT),
    "Starred": (Says("a star before an argument", "um asterisco antes de argumento"), _SPELL_OUT),
    "str": (
        Says("a text in quotes", "um texto entre aspas"),
        Says(
            "texts are only for keywords of a call: pad(x, 1, mode='edge').",
            "textos só servem como palavra-chave de uma chamada: pad(x, 1, mode='edge').",
        ),
    ),
    "bytes": (Says("a text in quotes", "um texto entre aspas"), ARITHMETIC),
    "complex": (Says("a complex number", "um número complexo"), ARITHMETIC),
    "Slice": (
        Says("a slice on its own", "uma fatia solta"),
        Says("slices stand in an index: x[1:3].", "fatias vão num índice: x[1:3]."),
    ),
}


# --- reading, within bounds ---------------------------------------------------------------------


def clean(text: str) -> str:
    """Put the text on one line and refuse, by a scan, what must not reach the parser."""
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(
            Says(
                "the expression has {0} characters, and {1} are allowed.",
                "a expressão tem {0} caracteres, e são permitidos {1}.",
            ).fill(len(text), MOST_CHARACTERS),
            Says(
                "write it in a file and use: corrente view model.py:loss.",
                "escreva-a num arquivo e use: corrente view model.py:loss.",
            ),
        )
    text = re.sub(r"[\t\r\n]", " ", text).strip()
    if not text:
        raise ExpressionError(
            Says("the expression is empty.", "a expressão está vazia."),
            Says(
                'write one: corrente "(x + y) * z" x=-2 y=5 z=-4.',
                'escreva uma: corrente "(x + y) * z" x=-2 y=5 z=-4.',
            ),
        )
    _scan_characters(text)
    _scan_brackets(text)
    _scan_numbers(text)
    return text


def _scan_characters(text: str) -> None:
    for at, sign in enumerate(text):
        if sign in _PUNCTUATION or (f"a{sign}".isidentifier() and sign not in _SIGNS):
            continue
        named = sign if sign.isprintable() else f"U+{ord(sign):04X}"
        mend = Says("write {0}.", "escreva {0}.").fill(_SIGNS[sign]) if sign in _SIGNS else None
        raise wrong(
            text,
            at,
            Says("the character {0} has no meaning here.", "o caractere {0} não tem sentido aqui."),
            mend or ARITHMETIC,
            named,
        )


def _scan_brackets(text: str) -> None:
    waiting: list[tuple[int, str]] = []
    for at, sign in enumerate(text):
        if sign in _OPEN:
            waiting.append((at, _OPEN[sign]))
            if len(waiting) > MOST_BRACKETS:
                raise wrong(
                    text,
                    at,
                    Says(
                        "brackets are nested more than {0} deep.",
                        "há mais de {0} parênteses um dentro do outro.",
                    ),
                    Says("take out brackets that change nothing.", "tire os que nada mudam."),
                    MOST_BRACKETS,
                )
        elif sign in _OPEN.values() and (not waiting or waiting.pop()[1] != sign):
            raise wrong(
                text,
                at,
                Says("this {0} closes nothing.", "este {0} não fecha nada."),
                Says("take it out, or open its pair.", "tire-o, ou abra o seu par."),
                sign,
            )
    if waiting:
        at, closing = waiting[-1]
        raise wrong(
            text,
            at,
            Says("this {0} is never closed.", "este {0} nunca é fechado."),
            Says("add a {0}.", "acrescente um {0}.").fill(closing),
            text[at],
        )


def _scan_numbers(text: str) -> None:
    long = re.search(rf"\d[\d_.]{{{MOST_DIGITS},}}", text)
    if long:
        raise wrong(
            text,
            long.start(),
            Says("this number has more than {0} digits.", "este número tem mais de {0} dígitos."),
            Says("write it as 1.5e20.", "escreva-o como 1.5e20."),
            MOST_DIGITS,
        )
    glued = re.search(r"(?<![\w.])(?>(\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?))([^\W\d]\w*)", text)
    if glued:
        raise wrong(
            text,
            glued.start(2),
            Says("{0} stands next to {1}.", "{0} está colado em {1}."),
            Says("write the product: {0}*{1}.", "escreva o produto: {0}*{1}.").fill(
                *shortened(glued.groups())
            ),
            *shortened(glued.groups()),
        )


def shortened(words: Iterable[str]) -> list[str]:
    """Cut words that would drown a message."""
    return [word if len(word) <= 40 else word[:39] + "…" for word in words]


def read(text: str) -> ast.expr:
    """Parse a clean text into a tree of bounded size, as yet unchecked otherwise."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise wrong(
            text,
            min((error.offset or len(text) + 1) - 1, len(text)),
            Says(
                "the expression cannot be read: something is missing or out of place here.",
                "não dá para ler a expressão: algo falta ou está fora de lugar aqui.",
            ),
            ARITHMETIC,
        ) from None
    except (ValueError, MemoryError, RecursionError, OverflowError):
        raise _too_deep(text, 0) from None
    _measure(text, tree)
    return tree


def _measure(text: str, tree: ast.expr) -> None:
    """Bound depth and number of nodes, level by level, so that nothing here recurses."""
    level: list[ast.AST] = [tree]
    count, depth = 0, 0
    while level:
        count, depth = count + len(level), depth + 1
        if depth > MOST_DEPTH or count > MOST_NODES:
            at = next((node for node in level if isinstance(node, ast.expr)), tree)
            raise _too_deep(text, column(text, at))
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def _too_deep(text: str, at: int) -> ExpressionError:
    return wrong(
        text,
        at,
        Says(
            "the expression is too large: at most {0} operations one inside the other, "
            "and {1} parts in all.",
            "a expressão é grande demais: no máximo {0} operações uma dentro da outra, "
            "e {1} partes ao todo.",
        ),
        Says(
            "give the many terms as one array and use sum or @, "
            "or write a file and use: corrente view model.py:loss.",
            "dê os muitos termos como um só array e use sum ou @, "
            "ou escreva um arquivo e use: corrente view model.py:loss.",
        ),
        MOST_DEPTH,
        MOST_NODES,
    )


def mentioned(tree: ast.expr) -> tuple[str, ...]:
    """List the names that stand for values, in the order they appear."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for k, function in enumerate(called):
        while isinstance(function, ast.Attribute):
            function = function.value
            if isinstance(function, ast.Name) and function.id in ("np", "numpy"):
                called[k] = function
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called]
    found.sort(key=lambda node: node.col_offset)
    return tuple(dict.fromkeys(node.id for node in found))


# --- messages -----------------------------------------------------------------------------------


def column(text: str, node: ast.expr) -> int:
    """Return the column to point at, the operator's; in characters where `ast` counts bytes."""
    at = node.col_offset
    if isinstance(node, ast.BinOp | ast.Compare):
        at = node.left.end_col_offset or at
        at += len(text.encode()[at:]) - len(text.encode()[at:].lstrip(b" )"))
    return len(text.encode()[:at].decode(errors="ignore"))


def refused(text: str, node: ast.expr, kind: str) -> ExpressionError:
    """Refuse a piece of syntax by name, with what to write instead."""
    named, mend = _REFUSED.get(kind, (plain(kind), ARITHMETIC))
    return wrong(
        text,
        column(text, node),
        Says("not allowed in an expression: {0}.", "não é permitido numa expressão: {0}."),
        mend,
        named,
    )


def wrong(text: str, at: int, what: Says, mend: Says, *things: Any) -> ExpressionError:
    """Build an ExpressionError that points at a column; `things` fill the sentence."""
    return ExpressionError(pointing(what.fill(*things), text, at), mend)


def pointing(what: Says, text: str, at: int) -> Says:
    """Add the expression and a caret under the column; a long one is cut around it."""
    start = max(0, min(at - 36, len(text) - 72))
    line = text[start : start + 72]
    line = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
    left, right = "…" * (start > 0), "…" * (start + 72 < len(text))
    caret = " " * (len(left) + at - start) + "^"
    return Says(*(f"{said}\n    {left}{line}{right}\n    {caret}" for said in what))
