"""Every error says what happened, where, and what to try, in both languages."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import errors
from corrente.errors import CorrenteError
from corrente.words import LANGUAGES, Says

WHAT, MEND = Says("it broke.", "quebrou."), Says("mend it.", "conserte-o.")
WHERE = (lambda x: x * 2.0).__code__, 0

# the class, the built-in a caller would expect, and one of it
ERRORS: list[tuple[type[CorrenteError], type[Exception], CorrenteError]] = [
    (errors.NoGate, NotImplementedError, errors.NoGate("np.unwrap", WHERE)),
    (errors.NotSupported, NotImplementedError, errors.NotSupported(WHAT, MEND, WHERE)),
    (errors.Leak, TypeError, errors.Leak(WHAT, None, WHERE)),
    (errors.Escaped, RuntimeError, errors.Escaped()),
    (errors.ShapeError, ValueError, errors.ShapeError("add", ((2,), (3,)), "they differ")),
    (errors.BadArgument, TypeError, errors.BadArgument(WHAT, MEND, WHERE)),
    (errors.BadValue, ValueError, errors.BadValue(WHAT, MEND, WHERE)),
    (errors.NotWritten, OSError, errors.NotWritten(WHAT, MEND, WHERE)),
    (errors.NotScalar, ValueError, errors.NotScalar("loss", (3,), WHERE)),
    (errors.WriteError, ValueError, errors.WriteError(WHAT, MEND, WHERE)),
    (errors.Impure, RuntimeError, errors.Impure(WHAT, MEND, WHERE)),
    (errors.GradientError, AssertionError, errors.GradientError(WHAT, MEND, WHERE, "exp", "h")),
    (errors.ExpressionError, ValueError, errors.ExpressionError(WHAT, MEND)),
    (errors.CircuitError, AssertionError, errors.CircuitError(WHAT, MEND, WHERE)),
]
WARNINGS = [
    errors.CorrenteWarning,
    errors.UnreachedWarning,
    errors.TieWarning,
    errors.PathWarning,
    errors.CacheWarning,
]
PLACED = [error for _, _, error in ERRORS if error.where is not None]


def of(error: CorrenteError) -> str:
    return type(error).__name__


def test_every_class_is_listed_here():
    own = {
        item
        for item in vars(errors).values()
        if inspect.isclass(item) and item.__module__ == errors.__name__
    }
    listed = {kind for kind, _, _ in ERRORS} | set(WARNINGS) | {CorrenteError}
    assert own == listed


@pytest.mark.parametrize("kind", [*(kind for kind, _, _ in ERRORS), *WARNINGS, CorrenteError])
def test_every_class_says_what_it_is(kind: type):
    first = (kind.__doc__ or "").strip().split("\n\n")[0]
    assert first.endswith(".")
    assert len(first.split()) >= 5


@pytest.mark.parametrize(
    ("kind", "builtin", "error"), ERRORS, ids=lambda x: getattr(x, "__name__", "")
)
def test_the_builtin_a_caller_expects(kind: type, builtin: type[Exception], error: CorrenteError):
    assert issubclass(kind, builtin)
    assert issubclass(kind, CorrenteError)
    with pytest.raises(builtin):
        raise error


def test_warnings_are_user_warnings():
    assert all(issubclass(kind, UserWarning) for kind in WARNINGS)


@pytest.mark.parametrize("kind", WARNINGS, ids=lambda kind: kind.__name__)
def test_warnings_are_said_in_both_languages(kind: type[errors.CorrenteWarning]):
    warning = pickle.loads(pickle.dumps(kind(WHAT)))
    assert str(warning) == WHAT.en
    assert [warning.render(lang) for lang in LANGUAGES] == list(WHAT)


def test_what_numpy_says_is_quoted_in_portuguese():
    error = errors.ShapeError("np.add", ((2,), (3,)), "operands do not fit")
    assert error.what.en.endswith("(2,) and (3,): operands do not fit")
    assert error.what.pt.endswith("(2,) e (3,): nas palavras do NumPy, “operands do not fit”")


@pytest.mark.parametrize("error", [error for _, _, error in ERRORS], ids=of)
def test_both_languages_are_rendered_and_differ(error: CorrenteError):
    english, portuguese = (error.render(lang) for lang in LANGUAGES)
    assert str(error) == english
    assert english.splitlines()[0] == error.what.en
    assert portuguese.splitlines()[0] == error.what.pt
    assert english.splitlines()[-1] == f"  try: {error.mend.en}"
    assert portuguese.splitlines()[-1] == f"  tente: {error.mend.pt}"
    assert error.what.en != error.what.pt
    assert error.mend.en != error.mend.pt
    assert not [part for part in (*error.what, *error.mend) if "{0}" in part]


@pytest.mark.parametrize("error", PLACED, ids=of)
def test_the_place_is_file_line_and_source(error: CorrenteError):
    for lang, word, said in (("en", "where", "line"), ("pt", "onde", "linha")):
        line = error.render(lang).splitlines()[1]
        assert line.startswith(f"  {word}: ")
        assert f"test_errors.py, {said} " in line


def test_no_place_no_line():
    error = errors.BadValue(WHAT, MEND, False)
    assert error.render() == "it broke.\n  try: mend it."
    assert errors.ExpressionError(WHAT, MEND).where is None


def test_the_place_is_taken_from_the_running_line():
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    error = errors.BadValue(WHAT, MEND)
    assert f"test_errors.py, line {line}: error = errors.BadValue(WHAT, MEND)" in str(error)


def test_an_unknown_language_is_refused_and_the_known_ones_named():
    with pytest.raises(ValueError, match="en, pt, not 'fr'"):
        errors.BadValue(WHAT, MEND).render("fr")


def test_fields_stay_readable():
    error = errors.GradientError(WHAT, MEND, None, gate="exp", wire="h")
    assert (error.gate, error.wire, error.where) == ("exp", "h", None)


def test_what_not_scalar_returned_is_named():
    assert "(3,)" in errors.NotScalar("loss", (3,), None).what.pt
    assert "several outputs" in str(errors.NotScalar("loss", None, None))
    assert "várias saídas" in errors.NotScalar("loss", None, None).render("pt")


@pytest.mark.parametrize("error", [error for _, _, error in ERRORS], ids=of)
def test_errors_travel_between_processes(error: CorrenteError):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert [again.render(lang) for lang in LANGUAGES] == [error.render(lang) for lang in LANGUAGES]


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: np.mean(np.array([x[0], 1.0])),
        lambda x: np.vectorize(lambda u: u * u)(x).sum(),
    ],
    ids=["mean", "vectorize"],
)
def test_the_place_is_the_users_line_when_numpy_calls_back(leak: Any):
    with pytest.raises(errors.Leak) as caught:
        co.grad(leak)(np.ones(2))
    assert "test_errors.py, line" in str(caught.value)
