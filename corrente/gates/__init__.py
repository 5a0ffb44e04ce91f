"""The drawer of gates: one record per NumPy function, one file per family."""

from corrente.gates import arithmetic as arithmetic
