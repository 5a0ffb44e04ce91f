"""Matrices taken apart: eigenvalues, singular values, orthogonal and triangular factors.

All work on stacks of matrices. Where two eigenvalues or singular values agree to rounding, the
vectors that belong to them may turn freely and have no derivative: what would mix them counts
as zero. Gradients of the values are right there too; second derivatives through them are not.
Complex vectors are free up to a phase: gradients hold for what does not depend on it. As in
`solving`, the rules transpose and do not conjugate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.gates.calls import refuse
from corrente.gates.complexes import conjugated
from corrente.gates.own import dispatched
from corrente.gates.solving import into_triangle, lower_half
from corrente.record import Opaque, Shape, call, composed, gate
from corrente.words import Says


def _across(v: Any) -> Any:
    """Return a row of numbers for each matrix, to scale its columns."""
    return np.expand_dims(v, -2)


def _as_diagonal(v: Any) -> Any:
    return np.where(np.eye(np.shape(v)[-1], dtype=bool), _across(v), 0.0)


def _diagonal(x: Any) -> Any:
    return np.diagonal(x, axis1=-2, axis2=-1)


def _inverted(x: Any, none: Any) -> Any:
    """Return 1/x, and 0 where there is none."""
    return np.where(none, 0.0, 1.0 / np.where(none, 1.0, x))


def _gaps(values: Any) -> Any:
    """Return 1/(λⱼ − λᵢ) at (i, j), and 0 where the two agree to rounding."""
    gap = _across(values) - np.expand_dims(values, -1)
    size = np.sum(np.abs(values), axis=-1, keepdims=True)
    same = np.less_equal(np.abs(gap), np.finfo(values.dtype).eps * np.expand_dims(size, -1))
    return _inverted(gap, same)


def _vectors(a: Shape) -> tuple[Shape, Shape]:
    return a[:-1], a


# --- eigenvalues of symmetric matrices ----------------------------------------------------------

_Eigh: Any = type(np.linalg.eigh(np.eye(1)))


@dispatched
def _symmetric_eigen(a: Any, UPLO: Any) -> Any:
    return tuple(np.linalg.eigh(a, UPLO))


def _pull_eigh(g: Any, out: Any, a: Any, UPLO: str) -> Any:
    """Return the gradient of the triangle that was read (Giles 2008, 3.1)."""
    (of_values, of_vectors), (values, vectors) = g, out
    inner = _as_diagonal(of_values) + _gaps(values) * (vectors.mT @ of_vectors)
    return into_triangle(conjugated(vectors) @ inner @ vectors.mT, UPLO == "U")


def _symmetric(rng: np.random.Generator, *shape: int) -> Any:
    """Draw symmetric matrices with eigenvalues that lie apart."""
    x = 0.3 * rng.normal(size=shape)
    return x + x.mT + np.diag(2.0 * np.arange(shape[-1]))


eigh = gate(
    _symmetric_eigen,
    name="eigh",
    kind=Opaque(_symmetric_eigen),
    takes=lambda a, UPLO: call(a, UPLO=UPLO),
    shape=lambda a, UPLO: _vectors(a),
    pulls=(_pull_eigh,),
    outs=2,
    symbol="λ, v",
    code=lambda names, params: (
        f"np.linalg.eigh({names[0]}{', UPLO=' + repr('U') if params['UPLO'] == 'U' else ''})"
    ),
    does=Says(
        en="finds the eigenvalues and eigenvectors of the symmetric matrix {0}",
        pt="acha os autovalores e autovetores da matriz simétrica {0}",
    ),
    teaches=Says(
        en="turns the gradient back with the eigenvectors; theirs is divided by the gaps between "
        "the eigenvalues, so it is large where two of them are close",
        pt="gira o gradiente de volta com os autovetores; o deles é dividido pelas distâncias "
        "entre os autovalores, logo é grande onde dois estão próximos",
    ),
    example=lambda rng: call(_symmetric(rng, 2, 3, 3), UPLO="L"),
)


@composed(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    return _Eigh(*_symmetric_eigen(a, UPLO.upper()))


@composed(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return _symmetric_eigen(a, UPLO.upper())[0]


# --- eigenvalues of any square matrix -----------------------------------------------------------

_Eig: Any = type(np.linalg.eig(np.eye(1)))


@dispatched
def _eigen(a: Any) -> Any:
    return tuple(np.linalg.eig(a))


def _pull_eig(g: Any, out: Any, a: Any) -> Any:
    """Return the gradient for distinct eigenvalues and eigenvectors of length one.

    C. Boeddeker, P. Hanebrink, L. Drude, J. Heymann, R. Haeb-Umbach (2017), "On the computation
    of complex-valued gradients with application to statistically optimum beamforming".
    """
    (of_values, of_vectors), (values, vectors) = g, out
    turned = vectors.mT @ of_vectors
    # a vector keeps its length: what would make it longer is taken off
    longer = (vectors.mT @ conjugated(vectors)) * _across(np.real(_diagonal(turned)))
    inner = _as_diagonal(of_values) + _gaps(values) * (turned - longer)
    d = np.linalg.solve(vectors.mT, inner @ vectors.mT)
    return d if np.iscomplexobj(a) else np.real(d)


def _apart(rng: np.random.Generator, *shape: int) -> Any:
    """Draw matrices with real eigenvalues that lie apart."""
    return 0.3 * rng.normal(size=shape) + np.diag(2.0 * np.arange(shape[-1]))


eig = gate(
    _eigen,
    name="eig",
    kind=Opaque(),  # one matrix of a stack may turn the dtype of all into complex
    takes=lambda a: call(a),
    shape=_vectors,
    pulls=(_pull_eig,),
    outs=2,
    symbol="λ, v",
    code=lambda names, params: f"np.linalg.eig({names[0]})",
    does=Says(
        en="finds the eigenvalues and eigenvectors of the matrix {0}",
        pt="acha os autovalores e autovetores da matriz {0}",
    ),
    teaches=Says(
        en="turns the gradient back with the eigenvectors and their inverse; that of the vectors "
        "is divided by the gaps between the eigenvalues",
        pt="gira o gradiente de volta com os autovetores e a sua inversa; o dos vetores é "
        "dividido pelas distâncias entre os autovalores",
    ),
    example=lambda rng: call(_apart(rng, 2, 3, 3)),
)


@composed(np.linalg.eig)
def _eig(a: Any) -> Any:
    return _Eig(*_eigen(a))


@composed(np.linalg.eigvals)
def _eigvals(a: Any) -> Any:
    return _eigen(a)[0]


# --- singular values ----------------------------------------------------------------------------

_Svd: Any = type(np.linalg.svd(np.eye(1)))


@dispatched
def _thin_svd(a: Any) -> Any:
    return tuple(np.linalg.svd(a, full_matrices=False))


def _pull_svd(g: Any, out: Any, a: Any) -> Any:
    """Return the gradient; at a singular value of 0, a kink, it is 0, as of |x|.

    J. Townsend (2016), "Differentiating the singular value decomposition"; for complex matrices
    Z.-Q. Wan, S.-X. Zhang (2019), "Automatic differentiation for complex valued SVD".
    """
    (of_u, of_s, of_vh), (u, s, vh) = g, out
    none = np.equal(s, 0)
    inverse = _across(_inverted(s, none))
    sums = _across(s) + np.expand_dims(s, -1)
    gaps = _gaps(s) * _inverted(sums, np.equal(sums, 0))  # 1/(sⱼ² − sᵢ²)
    left, right = u.mT @ of_u, conjugated(vh) @ conjugated(of_vh).mT
    both = gaps * left, gaps * right
    turned_u, turned_v = (x + conjugated(x.mT) for x in both)
    inner = _as_diagonal(np.where(none, 0.0, of_s)) + turned_u * _across(s)
    inner = inner + np.expand_dims(s, -1) * turned_v
    if np.iscomplexobj(a):  # the phase, which the two sides share
        phase = np.imag(_diagonal(left) - _diagonal(right)) * inverse[..., 0, :]
        inner = inner + _as_diagonal(0.5j * phase)
    d = conjugated(u) @ inner @ conjugated(vh)
    rows, columns = np.shape(a)[-2:]
    if rows > columns:
        d = d + ((of_u - conjugated(u) @ left) * inverse) @ conjugated(vh)
    elif columns > rows:
        rest = of_vh - (of_vh @ vh.mT) @ conjugated(vh)
        d = d + (conjugated(u) * inverse) @ rest
    return d


def _svd_shape(a: Shape) -> tuple[Shape, Shape, Shape]:
    *stack, rows, columns = a
    few = min(rows, columns)
    return (*stack, rows, few), (*stack, few), (*stack, few, columns)


svd = gate(
    _thin_svd,
    name="svd",
    kind=Opaque(_thin_svd),
    takes=lambda a: call(a),
    shape=_svd_shape,
    pulls=(_pull_svd,),
    outs=3,
    symbol="U, s, Vᴴ",
    code=lambda names, params: f"np.linalg.svd({names[0]}, full_matrices=False)",
    does=Says(
        en="takes {0} apart into a turn, a stretch along axes and another turn",
        pt="separa {0} em um giro, um estiramento ao longo de eixos e outro giro",
    ),
    teaches=Says(
        en="turns the gradient back with both turns; theirs is divided by the gaps between the "
        "singular values, so it is large where two of them are close",
        pt="gira o gradiente de volta com os dois giros; o deles é dividido pelas distâncias "
        "entre os valores singulares, logo é grande onde dois estão próximos",
    ),
    example=lambda rng: call(
        0.3 * rng.normal(size=(2, 4, 3)) + np.diag([1.0, 2.0, 3.0, 4.0])[:, :3]
    ),
)


@composed(np.linalg.svd)
def _svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    refuse("linalg.svd", hermitian=hermitian)
    if not compute_uv:
        return _thin_svd(a)[1]
    rows, columns = np.shape(a)[-2:]
    if full_matrices and rows != columns:
        raise NotSupported(
            Says(
                "np.linalg.svd of a {0}×{1} matrix with full_matrices=True: the vectors beyond "
                "the singular values are not determined by the matrix.",
                "np.linalg.svd de uma matriz {0}×{1} com full_matrices=True: os vetores além dos "
                "valores singulares não são determinados pela matriz.",
            ).fill(rows, columns),
            Says(
                "full_matrices=False, or compute_uv=False for the singular values alone.",
                "full_matrices=False, ou compute_uv=False só para os valores singulares.",
            ),
        )
    return _Svd(*_thin_svd(a))


@composed(np.linalg.svdvals)
def _svdvals(x: Any, /) -> Any:
    return _thin_svd(x)[1]


# --- orthogonal and triangular ------------------------------------------------------------------

_Qr: Any = type(np.linalg.qr(np.eye(1)))


@dispatched
def _tall_qr(a: Any) -> Any:
    return tuple(np.linalg.qr(a))


def _pull_qr(g: Any, out: Any, a: Any) -> Any:
    """Return the gradient for a matrix of full column rank, at least as tall as it is wide.

    S. F. Walter, L. Lehmann, R. Lamour (2012), "On evaluating higher-order derivatives of the QR
    decomposition of tall matrices with full column rank in forward and reverse mode algorithmic
    differentiation".
    """
    (of_q, of_r), (q, r) = g, out
    turned, stretched = q.mT @ of_q, of_r @ r.mT
    skew = turned - stretched
    inner = stretched - turned + (skew - conjugated(skew.mT)) * lower_half(skew)
    return np.linalg.solve(r, (of_q + conjugated(q) @ inner).mT).mT


def _qr_shape(a: Shape) -> tuple[Shape, Shape]:
    return a, (*a[:-2], a[-1], a[-1])


qr = gate(
    _tall_qr,
    name="qr",
    kind=Opaque(_tall_qr),
    takes=lambda a: call(a),
    shape=_qr_shape,
    pulls=(_pull_qr,),
    outs=2,
    symbol="Q, R",
    code=lambda names, params: f"np.linalg.qr({names[0]})",
    does=Says(
        en="takes {0} apart into orthogonal columns and a triangle",
        pt="separa {0} em colunas ortogonais e um triângulo",
    ),
    teaches=Says(
        en="parts the gradient between a turn of the columns and the triangle, and solves with "
        "the triangle: large where the columns are nearly dependent",
        pt="reparte o gradiente entre um giro das colunas e o triângulo, e resolve com o "
        "triângulo: grande onde as colunas são quase dependentes",
    ),
    example=lambda rng: call(rng.normal(size=(2, 4, 3)) + 2.0 * np.eye(4)[:, :3]),
)


@composed(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    rows, columns = np.shape(a)[-2:]
    refuse("linalg.qr", mode=mode if mode not in ("reduced", "r", "complete") else None)
    refuse("linalg.qr", mode=mode if mode == "complete" and rows > columns else None)
    if rows >= columns:
        q, r = _tall_qr(a)
    else:  # the first columns give the turn; the others follow it
        q, first = _tall_qr(a[..., :rows])
        r = np.concatenate([first, conjugated(q.mT) @ a[..., rows:]], axis=-1)
    return r if mode == "r" else _Qr(q, r)
