"""Parameters go downhill on data: batches, steps, rates, checkpoints and the loop of epochs."""

from __future__ import annotations

from corrente.training.contributions import shares
from corrente.training.rates import find_rate
from corrente.training.trainer import DivergedWarning, Training, train

__all__ = ["DivergedWarning", "Training", "find_rate", "shares", "train"]
