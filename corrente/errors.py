"""Every mistake the house can name: what happened, where, and what to try."""

from __future__ import annotations

from typing import Any

from corrente.places import Where, here, locate
from corrente.words import LANGUAGES, Says, plain


def _again(
    kind: type[CorrenteError], what: Says, mend: Says, where: Says | None, more: dict[str, Any]
) -> CorrenteError:
    """Make an error anew on the other side of a pickle."""
    error = kind.__new__(kind)
    CorrenteError.__init__(error, what, mend, False)
    error.where = where
    error.__dict__.update(more)
    return error


_LABELS = {"en": ("where", "try"), "pt": ("onde", "tente")}


class CorrenteError(Exception):
    """The parent of every error raised on purpose; built from fields, never typed free-hand.

    `what` says what happened, `mend` what to try; `where` is a place in the user's source
    (taken from the running line when not given, `False` for none).
    """

    def __init__(self, what: Says, mend: Says, where: Where | bool | None = None) -> None:
        self.what = what
        self.mend = mend
        self.where: Where | Says | None = (
            here() if where is None else where if isinstance(where, tuple) else None
        )
        super().__init__(what.en)

    def __reduce__(self) -> tuple[Any, ...]:
        # code objects do not travel between processes: the place goes as it is shown
        return _again, (type(self), self.what, self.mend, self._place(), self._more())

    def _more(self) -> dict[str, Any]:
        """Return the fields a subclass adds."""
        kept = {"what", "mend", "where", "__notes__"}
        return {name: value for name, value in self.__dict__.items() if name not in kept}

    def _place(self) -> Says | None:
        if self.where is None or isinstance(self.where, Says):
            return self.where
        place = locate(self.where)
        return Says(*map(place.into, LANGUAGES))

    def render(self, lang: str = "en") -> str:
        """Return the whole message in one language."""
        lines = [self.what.into(lang)]
        at, try_ = _LABELS[lang]
        place = self._place()
        if place is not None:
            lines.append(f"  {at}: {place.into(lang)}")
        lines.append(f"  {try_}: {self.mend.into(lang)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.render()


class NoGate(CorrenteError, NotImplementedError):
    """A NumPy function that has no record in the gate table was called on a traced value."""

    def __init__(self, name: str, where: Where | None = None) -> None:
        super().__init__(
            Says("{0} has no gate yet.", "{0} ainda não tem porta.").fill(name),
            Says(
                "write it with functions that have gates (docs/gates.md lists them), "
                "or add one record to corrente/gates/ (CONTRIBUTING.md shows how), "
                "or wrap your own function with co.gate.",
                "escreva-a com funções que têm porta (docs/gates.md as lista), "
                "ou acrescente um registro em corrente/gates/ (CONTRIBUTING.md mostra como), "
                "ou envolva a sua própria função com co.gate.",
            ),
            where,
        )


class NotSupported(CorrenteError, NotImplementedError):
    """A gate exists, but not with this keyword, method or argument: refused by name."""


class Leak(CorrenteError, TypeError):
    """A traced value was about to become a plain number or array, losing its gradient.

    `float(x)`, `math.exp(x)`, `np.asarray(x)` and `buffer[i] = x` would cut the circuit and
    give a silent zero gradient; the message names the way that keeps it.
    """

    def __init__(self, what: Says, mend: Says | None = None, where: Where | None = None) -> None:
        super().__init__(
            what,
            mend
            or Says(
                "NumPy's own function instead of math's (np.exp), "
                "np.zeros(n, like=x) for a buffer, np.array([x, y], like=x) for an array, "
                "or co.stop_gradient(x) if the gradient is meant to end here.",
                "a função do NumPy em vez da de math (np.exp), "
                "np.zeros(n, like=x) para um buffer, np.array([x, y], like=x) para um array, "
                "ou co.stop_gradient(x) se o gradiente deve mesmo acabar aqui.",
            ),
            where,
        )


class Escaped(CorrenteError, RuntimeError):
    """A traced value was used after the trace that made it had ended."""

    def __init__(self) -> None:
        super().__init__(
            Says(
                "a traced value outlived its trace.",
                "um valor traçado sobreviveu ao seu traçado.",
            ),
            Says(
                "return it from the function instead of storing it outside "
                "(has_aux=True returns extras as plain numbers).",
                "devolva-o da função em vez de guardá-lo fora "
                "(has_aux=True devolve os extras como números comuns).",
            ),
        )


class ShapeError(CorrenteError, ValueError):
    """Operands whose shapes do not fit; both shapes and the line are named."""

    def __init__(
        self, name: Says | str, shapes: tuple[tuple[int, ...], ...], detail: Says | str
    ) -> None:
        listed = Says(*(word.join(map(str, shapes)) for word in (" and ", " e ")))
        if isinstance(detail, str):  # NumPy speaks English only
            detail = Says("{0}", "nas palavras do NumPy, “{0}”").fill(detail)
        super().__init__(
            Says("{0} cannot take shapes {1}: {2}", "{0} não aceita as formas {1}: {2}").fill(
                name, listed, detail
            ),
            Says(
                "check the operands on this line: print their .shape, "
                "or add an axis with [:, None].",
                "confira os operandos desta linha: imprima o .shape de cada um, "
                "ou acrescente um eixo com [:, None].",
            ),
        )


class BadArgument(CorrenteError, TypeError):
    """An argument that cannot be differentiated, or does not exist."""


class BadValue(CorrenteError, ValueError):
    """An argument of the right kind with a value that has no meaning."""


class NotWritten(BadValue, OSError):
    """A file that cannot be written: no such folder, no permission, no room."""

    __new__ = OSError.__new__  # of its two built-in parents, the one that has fields of its own


class NotScalar(CorrenteError, ValueError):
    """`grad` needs one number at the end of the circuit, and got an array."""

    def __init__(self, name: str, shape: tuple[int, ...] | None, where: Where | None) -> None:
        got = plain(str(shape)) if shape is not None else Says("several outputs", "várias saídas")
        super().__init__(
            Says(
                "the gradient of {0} needs a scalar output, and it returned {1}.",
                "o gradiente de {0} precisa de uma saída escalar, e ela devolveu {1}.",
            ).fill(name, got),
            Says(
                "sum it (y.sum()), or ask for co.jacobian, co.vjp or co.elementwise_grad; "
                "has_aux=True if the extra outputs are not to be differentiated.",
                "some-a (y.sum()), ou peça co.jacobian, co.vjp ou co.elementwise_grad; "
                "has_aux=True se as saídas extras não são para derivar.",
            ),
            where or False,
        )


class WriteError(CorrenteError, ValueError):
    """A write that NumPy would carry to an array the trace cannot follow."""


class Impure(CorrenteError, RuntimeError):
    """A function given to `jit` did not do the same thing twice."""


class GradientError(CorrenteError, AssertionError):
    """`check_grads` found a gradient that disagrees with the numbers.

    Carries `gate`, `wire` and the place when one gate is to blame.
    """

    def __init__(
        self, what: Says, mend: Says, where: Where | None, gate: str = "", wire: str = ""
    ) -> None:
        super().__init__(what, mend, where or False)
        self.gate = gate
        self.wire = wire


class ExpressionError(CorrenteError, ValueError):
    """An expression on the command line that is not in the white list, or out of bounds."""

    def __init__(self, what: Says, mend: Says) -> None:
        super().__init__(what, mend, False)


class CircuitError(CorrenteError, AssertionError):
    """A circuit that is not well formed: a pass or a rule made a mistake."""


class CorrenteWarning(UserWarning):
    """The parent of every warning; `says` has it in both languages, and its text is English."""

    def __init__(self, says: Says | str) -> None:
        super().__init__(says)
        # `warnings.warn(text, category)` makes one of a text alone
        self.says = says if isinstance(says, Says) else plain(says)

    def render(self, lang: str = "en") -> str:
        """Return the warning in one language."""
        return self.says.into(lang)

    def __str__(self) -> str:
        return self.render()


class UnreachedWarning(CorrenteWarning):
    """The output does not depend on an argument that was to be differentiated."""


class TieWarning(CorrenteWarning):
    """A gradient was taken at a tie, where it is a convention and not a derivative."""


class PathWarning(CorrenteWarning):
    """A compiled function took too many different paths, and runs as plain Python now."""


class CacheWarning(CorrenteWarning):
    """Machine code could not be kept on disk, so that each process compiles anew."""
