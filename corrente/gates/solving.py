"""Matrices inverted, solved, measured and halved: inv, solve, det, slogdet, pinv, cholesky.

All work on stacks of matrices, the matrix in the last two axes. For complex matrices the rules
transpose and do not conjugate: dL = Re tr(gᵀ dA). Formulas, unless said otherwise: M. Giles
(2008), "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.gates.calls import refuse
from corrente.gates.complexes import conjugated
from corrente.gates.own import dispatched
from corrente.record import REALS, Call, Opaque, Params, Shape, call, composed, gate
from corrente.words import Says


def lower_half(like: Any) -> Any:
    """Return weights that keep the lower triangle of a square matrix and half its diagonal.

    >>> lower_half(np.zeros((2, 2)))
    array([[0.5, 0. ],
           [1. , 0.5]])
    """
    n = np.shape(like)[-1]
    return (np.tri(n) - 0.5 * np.eye(n)).astype(np.finfo(like.dtype).dtype)


def into_triangle(d: Any, upper: bool = False) -> Any:
    """Fold the gradient of a symmetric (Hermitian) matrix into the triangle that was read.

    The other triangle is never read, so its gradient is zero, and the triangle that is read
    stands for both: differences agree element by element, and along symmetric directions.
    """
    weights = lower_half(d)
    return (d + conjugated(d.mT)) * (weights.mT if upper else weights)


def _random_square(rng: np.random.Generator, *shape: int) -> Any:
    """Draw matrices far from singular."""
    return rng.normal(size=shape) + 2.0 * np.eye(shape[-1])


# --- inverse and linear systems -----------------------------------------------------------------


def _push_inv(tangents: Any, out: Any, ins: Any, params: Params) -> Any:
    return -(out @ tangents[0] @ out)


inv = gate(
    np.linalg.inv,
    kind=Opaque(np.linalg.inv),
    takes=None,
    shape=lambda a: a,
    pulls=(lambda g, out, a: -(out.mT @ g @ out.mT),),
    push=_push_inv,
    symbol="A⁻¹",
    code=lambda names, params: f"np.linalg.inv({names[0]})",
    does=Says(en="inverts the matrix {0}", pt="inverte a matriz {0}"),
    teaches=Says(
        en="puts the gradient between two transposed inverses and turns its sign: "
        "large where the matrix is near singular",
        pt="põe o gradiente entre duas inversas transpostas e troca o sinal: "
        "grande onde a matriz é quase singular",
    ),
    example=lambda rng: call(_random_square(rng, 2, 3, 3)),
)


def _solve_shape(a: Shape, b: Shape) -> Shape:
    if len(b) == 1:
        return (*a[:-2], *b)
    return (*np.broadcast_shapes(a[:-2], b[:-2]), *b[-2:])


def _solve_back(g: Any, out: Any, ins: Sequence[Any], params: Params, wanted: Any) -> list[Any]:
    """One more system, with the transposed matrix, serves both inputs."""
    a, b = ins
    if np.ndim(b) == 1:  # one right side for a stack of matrices: as a column
        column = np.linalg.solve(a.mT, np.expand_dims(g, -1))
        found = (lambda: -(column @ np.expand_dims(out, -2)), lambda: column[..., 0])
    else:
        given = np.linalg.solve(a.mT, g)
        found = (lambda: -(given @ out.mT), lambda: given)
    return [found[position]() for position in wanted]


def _push_solve(tangents: Any, out: Any, ins: Any, params: Params) -> Any:
    """Move both sides: A dx = db − dA x."""
    moved, right = tangents
    if moved is not None:
        bent = -(moved @ (np.expand_dims(out, -1) if np.ndim(ins[1]) == 1 else out))
        bent = bent[..., 0] if np.ndim(ins[1]) == 1 else bent
        right = bent if right is None else right + bent
    if np.ndim(ins[1]) == 1 and np.ndim(right) > 1:
        return np.linalg.solve(ins[0], np.expand_dims(right, -1))[..., 0]
    return np.linalg.solve(ins[0], right)


def _batch_solve(a: Any, b: Any) -> Any:
    if np.ndim(b) == 2:
        column = np.reshape(b, (len(b), *(1,) * (np.ndim(a) - 3), np.shape(b)[1], 1))
        return np.linalg.solve(a, column)[..., 0]
    ndim = max(np.ndim(a), np.ndim(b))
    stacked = (
        np.reshape(x, (len(x), *(1,) * (ndim - np.ndim(x)), *np.shape(x)[1:])) for x in (a, b)
    )
    return np.linalg.solve(*stacked)


solve = gate(
    np.linalg.solve,
    kind=Opaque(_batch_solve),
    takes=None,
    shape=_solve_shape,
    pulls=None,
    joint=_solve_back,
    push=_push_solve,
    linear=(1,),
    symbol="A⁻¹b",
    code=lambda names, params: f"np.linalg.solve({names[0]}, {names[1]})",
    does=Says(
        en="solves the linear system of {0} with the right side {1}",
        pt="resolve o sistema linear de {0} com o lado direito {1}",
    ),
    teaches=Says(
        en="solves the transposed system for the gradient: that is the gradient of {1}; "
        "{0} receives minus its product with the solution",
        pt="resolve o sistema transposto para o gradiente: esse é o gradiente de {1}; "
        "{0} recebe menos o seu produto com a solução",
    ),
    domain=(REALS, REALS),
    example=lambda rng: call(_random_square(rng, 2, 3, 3), rng.normal(size=(3, 2))),
)


@composed(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    shape = np.shape(a)
    flat = np.linalg.inv(np.reshape(a, (int(np.prod(shape[ind:])), -1)))
    return np.reshape(flat, (*shape[ind:], *shape[:ind]))


@composed(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        kept = [k for k in range(np.ndim(a)) if k not in axes]
        a = np.transpose(a, (*kept, *axes))
    flat = np.linalg.solve(np.reshape(a, (np.size(b), -1)), np.ravel(b))
    return np.reshape(flat, np.shape(a)[np.ndim(b) :])


# --- determinants -------------------------------------------------------------------------------

_FEW, _SMALL = 3, 16


def _minors(a: Any, rows: Sequence[int]) -> Any:
    """Return the determinants of a without one of these rows and without each column."""
    n = np.shape(a)[-1]
    rest = np.array([[j for j in range(n) if j != k] for k in range(n)], int)
    rest = np.reshape(rest, (n, max(n - 1, 0)))
    return np.linalg.det(a[..., rest[rows][:, None, :, None], rest[:, None, :]])


def _cofactors(det: Any, a: Any) -> Any:
    """Return the slope of the determinant with respect to each element.

    It is det(A) A⁻ᵀ where A has an inverse. Minors are right at singular matrices too, for
    derivatives of any order: they serve the smallest matrices, small ones near singular, and
    stacks with a singular one in them.
    """
    n = np.shape(a)[-1]
    if n > _FEW and np.all(np.not_equal(det, 0)):
        inverse = np.linalg.inv(a)
        if n > _SMALL or np.all(_is_safe(a, inverse)):
            return np.expand_dims(det, (-2, -1)) * inverse.mT
    blocks = [[k] for k in range(n)] if n > _FEW else [list(range(n))]
    minors = np.concatenate([_minors(a, rows) for rows in blocks], axis=-2)
    turn = np.arange(n)
    return minors * np.where((turn[:, None] + turn) % 2 == 0, 1, -1).astype(a.dtype)


def _is_safe(a: Any, inverse: Any) -> Any:
    """Tell whether second derivatives by the inverse keep three digits."""
    condition = np.linalg.matrix_norm(a) * np.linalg.matrix_norm(inverse)
    return np.less(condition * np.finfo(a.dtype).eps, 1e-3)


det = gate(
    np.linalg.det,
    kind=Opaque(np.linalg.det),
    takes=None,
    shape=lambda a: a[:-2],
    pulls=(lambda g, out, a: np.expand_dims(g, (-2, -1)) * _cofactors(out, a),),
    symbol="det",
    code=lambda names, params: f"np.linalg.det({names[0]})",
    does=Says(
        en="measures the volume that {0} gives the unit cube, with its sign: the determinant",
        pt="mede o volume que {0} dá ao cubo unitário, com sinal: o determinante",
    ),
    teaches=Says(
        en="gives each element the gradient times its cofactor: the determinant of what is left "
        "without its row and its column",
        pt="dá a cada elemento o gradiente vezes o seu cofator: o determinante do que sobra "
        "sem a sua linha e a sua coluna",
    ),
    example=lambda rng: call(_random_square(rng, 2, 3, 3)),
)

_Slogdet: Any = type(np.linalg.slogdet(np.eye(1)))


@dispatched
def _sign_and_log(a: Any) -> tuple[Any, Any]:
    return tuple(np.linalg.slogdet(a))


def _pull_slogdet(g: Any, out: Any, a: Any) -> Any:
    """Return the gradient of log|det|; a complex sign turns with the imaginary part."""
    of_sign, of_log = g
    if np.iscomplexobj(a):
        of_log = of_log + 1j * np.imag(of_sign * out[0])
    return np.expand_dims(of_log, (-2, -1)) * np.linalg.inv(a).mT


slogdet = gate(
    _sign_and_log,
    name="slogdet",
    kind=Opaque(_sign_and_log),
    takes=None,
    shape=lambda a: (a[:-2], a[:-2]),
    pulls=(_pull_slogdet,),
    outs=2,
    symbol="log|det|",
    code=lambda names, params: f"np.linalg.slogdet({names[0]})",
    does=Says(
        en="finds the sign and the logarithm of the determinant of {0}",
        pt="acha o sinal e o logaritmo do determinante de {0}",
    ),
    teaches=Says(
        en="gives the matrix the gradient of the logarithm times its transposed inverse; "
        "a singular matrix has none",
        pt="dá à matriz o gradiente do logaritmo vezes a sua inversa transposta; "
        "uma matriz singular não tem nenhum",
    ),
    example=lambda rng: call(_random_square(rng, 2, 3, 3)),
)


@composed(np.linalg.slogdet)
def _slogdet(a: Any) -> Any:
    return _Slogdet(*_sign_and_log(a))


# --- pseudo-inverse and least squares -----------------------------------------------------------


@dispatched
def _pseudo_inverse(a: Any, rcond: Any) -> Any:
    return np.linalg.pinv(a, rcond)


def _pull_pinv(g: Any, out: Any, a: Any, rcond: Any) -> Any:
    """Return the gradient while the rank stays the same.

    G. Golub and V. Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least
    squares problems whose variables separate".
    """
    flipped, bar = conjugated(g.mT), conjugated(out)
    rows, columns = np.shape(a)[-2:]
    unreached = np.eye(rows, dtype=a.dtype) - (a @ out).mT
    unseen = np.eye(columns, dtype=a.dtype) - (out @ a).mT
    within = -(out.mT @ g @ out.mT)
    return within + unreached @ flipped @ bar @ out.mT + out.mT @ bar @ flipped @ unseen


pinv = gate(
    _pseudo_inverse,
    name="pinv",
    kind=Opaque(_pseudo_inverse),
    takes=lambda a, rcond: call(a, rcond=rcond),
    shape=lambda a, rcond: (*a[:-2], a[-1], a[-2]),
    pulls=(_pull_pinv,),
    symbol="A⁺",
    code=lambda names, params: f"np.linalg.pinv({names[0]}, {params['rcond']!r})",
    does=Says(
        en="finds the pseudo-inverse of {0}: the nearest thing to an inverse",
        pt="acha a pseudoinversa de {0}: o mais próximo de uma inversa",
    ),
    teaches=Says(
        en="treats the gradient as an inverse does, and adds what the matrix does not reach; "
        "holds while the rank stays the same",
        pt="trata o gradiente como uma inversa, e soma o que a matriz não alcança; "
        "vale enquanto o posto não muda",
    ),
    example=lambda rng: call(rng.normal(size=(2, 4, 3)), rcond=1e-15),
)


@composed(np.linalg.pinv)
def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, **tolerance: Any) -> Any:
    refuse("linalg.pinv", hermitian=hermitian)
    rtol = tolerance.pop("rtol", 1e-15)
    refuse("linalg.pinv", **tolerance)
    return _pseudo_inverse(a, _cutoff(a, rtol) if rcond is None else rcond)


def _cutoff(a: Any, rcond: Any) -> Any:
    """Return what is small beside the greatest singular value, NumPy's own choice for None."""
    if rcond is not None:
        return rcond
    precise = np.finfo(a.dtype if a.dtype.kind in "fc" else float)
    return max(np.shape(a)[-2:]) * float(precise.eps)


@composed(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    a = np.asarray(a) if isinstance(a, list) else a
    rcond = _cutoff(a, rcond)
    x = np.linalg.pinv(a, rcond) @ b
    sizes = np.linalg.svd(a, compute_uv=False)
    rank = int(np.count_nonzero(np.greater(sizes, rcond * sizes[0])))
    rows, columns = np.shape(a)
    if rank != columns or rows <= columns:
        return x, np.zeros((0,), sizes.dtype), rank, sizes
    squares = np.square(np.abs(b - a @ x))
    return x, np.atleast_1d(np.sum(squares, axis=0)), rank, sizes


# --- the square root of a matrix ----------------------------------------------------------------


@dispatched
def _lower_cholesky(a: Any) -> Any:
    return np.linalg.cholesky(a)


def _pull_cholesky(g: Any, out: Any, a: Any) -> Any:
    """Return the gradient of the triangle that was read.

    I. Murray (2016), "Differentiation of the Cholesky decomposition".
    """
    inverse = np.linalg.inv(out)
    inner = (out.mT @ g) * lower_half(out)
    return into_triangle(inverse.mT @ inner @ conjugated(inverse))


def _push_cholesky(tangents: Any, out: Any, ins: Any, params: Params) -> Any:
    # only the lower triangle of the tangent is read, as of the matrix
    half = tangents[0] * lower_half(out)
    moved = half + conjugated(half.mT)
    inverse = np.linalg.inv(out)
    return out @ ((inverse @ moved @ conjugated(inverse.mT)) * lower_half(out))


def _positive(rng: np.random.Generator, *shape: int) -> Any:
    """Draw symmetric matrices with positive eigenvalues."""
    root = rng.normal(size=shape)
    return root @ root.mT + np.eye(shape[-1])


cholesky = gate(
    _lower_cholesky,
    name="cholesky",
    kind=Opaque(_lower_cholesky),
    takes=lambda a: Call((a,), {}),
    shape=lambda a: a,
    pulls=(_pull_cholesky,),
    push=_push_cholesky,
    symbol="chol",
    code=lambda names, params: f"np.linalg.cholesky({names[0]})",
    does=Says(
        en="finds the triangle whose product with its own transpose is {0}",
        pt="acha a matriz triangular cujo produto com a própria transposta é {0}",
    ),
    teaches=Says(
        en="gives the gradient to the lower triangle, the only one it reads: "
        "an element there stands for its mirror image too",
        pt="dá o gradiente ao triângulo inferior, o único que lê: "
        "um elemento de lá vale também pela sua imagem no espelho",
    ),
    example=lambda rng: call(_positive(rng, 2, 3, 3)),
)


@composed(np.linalg.cholesky)
def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    if upper:
        return conjugated(_lower_cholesky(conjugated(a.mT)).mT)
    return _lower_cholesky(a)
