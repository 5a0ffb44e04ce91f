"""Learning from a table: read it, turn its columns into numbers, train, keep, report, predict."""

from corrente.learning.command import predict, train

__all__ = ["predict", "train"]
