"""What may be written: the scan before the parser, and the finger on the column."""

import ast

import pytest

from corrente import grammar
from corrente.errors import ExpressionError
from corrente.words import plain


def test_clean_puts_an_expression_on_one_line():
    assert grammar.clean("  (x +\n\ty)  ") == "(x +  y)"


COLUMNS = [
    ("x + y", 2),
    ("(x) * (y)", 4),
    ("(x + y)[0]", 0),
    ("θθ * y", 3),
    ("foo(x)", 0),
    ("x  <  y", 3),
    ("-x", 0),
]


@pytest.mark.parametrize(("text", "column"), COLUMNS)
def test_column_counts_characters_and_points_at_operators(text, column):
    assert grammar.column(text, grammar.read(text)) == column


@pytest.mark.parametrize("column", [0, 35, 36, 37, 100, 163, 199, 200])
def test_the_caret_stands_under_the_column(column):
    text = "".join(chr(0x4E00 + k) for k in range(200))
    _, line, caret = grammar.pointing(plain("what"), text, column).en.split("\n")
    assert len(line) <= 4 + 74
    under = line[caret.index("^") : caret.index("^") + 1]
    assert under == text[column : column + 1]
    assert ("…" in line[:5]) == (column > 36)


def test_mentions_values_and_not_functions():
    tree = grammar.read("f(b) + np.sum(a) + numpy.linalg.norm(c) + d.sum(e) + b")
    assert grammar.mentioned(tree) == ("b", "a", "c", "d", "e")


def test_every_sign_that_is_mended_is_refused():
    for sign, meant in grammar._SIGNS.items():
        with pytest.raises(ExpressionError) as caught:
            grammar.clean(f"x {sign} y")
        assert meant in caught.value.mend.en
        assert meant in caught.value.mend.pt


def test_every_refusal_names_syntax_that_exists():
    known = {name for name in dir(ast) if name[0].isupper()} | {"str", "bytes", "complex"}
    assert grammar._REFUSED.keys() - known <= {"TemplateStr"}
