"""The drawer of gates: one record per NumPy function, one file per family."""

from corrente.gates import arithmetic as arithmetic
from corrente.gates import arrays as arrays
from corrente.gates import choices as choices
from corrente.gates import comparisons as comparisons
from corrente.gates import curves as curves
from corrente.gates import einsum as einsum
from corrente.gates import extremes as extremes
from corrente.gates import indexing as indexing
from corrente.gates import joins as joins
from corrente.gates import linalg as linalg
from corrente.gates import networks as networks
from corrente.gates import reductions as reductions
