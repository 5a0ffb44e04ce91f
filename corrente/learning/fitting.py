"""Fitting a network to a table: parts, training, and what it is worth on rows it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadArgument, BadValue
from corrente.learning.recipes import Column, Target, aim, encode, hit, holes, learn
from corrente.learning.tables import Table
from corrente.networks import Layers, cross_entropy, half_squares, loss_of, scores, start
from corrente.training import checkpoints
from corrente.training.checkpoints import CheckpointError
from corrente.training.trainer import Training, train
from corrente.words import Says

LEAST_ROWS = 10
ACTIVATION, PENALTY = "relu", 1e-4
_FILE = "model.safetensors"


class Model(NamedTuple):
    """A network with the recipes of its columns: all that is needed to predict."""

    columns: tuple[Column, ...]
    target: Target
    layers: Layers

    def scores(self, table: Table) -> np.ndarray:
        """Return what the network says of each row, before any last step."""
        return scores(self.layers, encode(self.columns, table), ACTIVATION)


class Fitted(NamedTuple):
    """A model with how it was made: its training, and its worth on rows held back.

    `worth` and `without` (a guess that knows only the target's mean, or commonest class) have the
    same measures. `truth` and `found` are the held-back targets and the predictions for them.
    """

    model: Model
    training: Training
    rows: int
    dropped: int
    worth: dict[str, float]
    without: dict[str, float]
    truth: np.ndarray
    found: np.ndarray


def fit(
    table: Table,
    target: str,
    *,
    kind: str | None = None,
    hidden: Sequence[int] = (100,),
    epochs: int = 200,
    seed: int = 0,
    progress: bool | None = None,
    lang: str = "en",
) -> Fitted:
    """Fit a network to predict one column of a table from the others.

    A fifth of the rows is held back for the measures, and an eighth of the rest to stop by.
    """
    if target not in table:
        raise BadArgument(
            Says("there is no column {0}.", "não há a coluna {0}.").fill(target),
            Says("one of: {0}.", "uma de: {0}.").fill(", ".join(table)),
            False,
        )
    gone = holes(table[target])
    table = {name: values[~gone] for name, values in table.items()}
    rows = int((~gone).sum())
    if rows < LEAST_ROWS:
        raise BadValue(
            Says("{0} rows have a {1}: too few.", "{0} linhas têm {1}: são poucas.").fill(
                rows, target
            ),
            Says("give at least {0}.", "dê ao menos {0}.").fill(LEAST_ROWS),
            False,
        )
    order = np.random.default_rng([seed, 9]).permutation(rows)
    held, seen = order[: rows // 5], order[rows // 5 :]
    own = aim(table, target, kind)
    here = {name: values[seen] for name, values in table.items()}
    columns = learn(here, [name for name in table if name != target])
    if not sum(column.width for column in columns):
        raise BadValue(
            Says("no column says anything.", "nenhuma coluna diz nada."),
            Says("give columns that change from row to row.", "dê colunas que variem."),
            False,
        )
    if not own.classes:
        own = own._replace(centre=float(here[target].mean()), scale=float(here[target].std() or 1))
    X, y = encode(columns, here), hit(own, here[target])
    training = _trained(X, y, own, hidden, epochs, seed, progress, lang)
    model = Model(columns, own, training.params)
    there = {name: values[held] for name, values in table.items()}
    truth, found = hit(own, there[target]), model.scores(there)
    guess = _guess(own, y, len(held))
    dropped = int(gone.sum())
    worth, without = _worth(own, truth, found), _worth(own, truth, guess)
    return Fitted(model, training, rows, dropped, worth, without, truth, found)


def _trained(
    X: Any,
    y: Any,
    own: Target,
    hidden: Sequence[int],
    epochs: int,
    seed: int,
    progress: Any,
    lang: str,
) -> Training:
    outs = len(own.classes) or 1
    layers = start(np.random.default_rng(seed), (X.shape[1], *hidden, outs), ACTIVATION, X.dtype)
    loss = loss_of(cross_entropy if own.classes else half_squares, ACTIVATION, PENALTY)
    return train(
        loss,
        layers,
        (X, y, np.ones(len(X))),
        epochs=epochs,
        batch_size=min(200, max(8, len(X) // 10)),
        seed=seed,
        validation=0.125,
        patience=20,
        progress=progress,
        lang=lang,
    )


def _guess(own: Target, y: np.ndarray, rows: int) -> np.ndarray:
    """Return scores that know only how often each class came, or the mean."""
    if not own.classes:
        return np.full((rows, 1), y.mean())
    often = np.bincount(y, minlength=len(own.classes)) + 1e-3
    return np.tile(np.log(often / often.sum()), (rows, 1))


def _worth(own: Target, truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    if own.classes:
        right = float(np.mean(found.argmax(axis=1) == truth))
        return {"accuracy": right, "log_loss": float(cross_entropy(found, truth).mean())}
    off = own.scale * (found - truth)[:, 0]
    about = own.scale * (truth - truth.mean())
    r2 = 1.0 - float(np.sum(off**2) / max(np.sum(about**2), 1e-300))
    return {
        "r2": r2,
        "root_mean_square": float(np.sqrt(np.mean(off**2))),
        "mean_absolute": float(np.mean(np.abs(off))),
    }


def keep(model: Model, folder: str) -> Path:
    """Write a model to a folder: numbers and plain data, no code; return the file."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    facts = {
        "columns": [list(column) for column in model.columns],
        "target": list(model.target),
        "sizes": [len(model.layers[0][0]), *(len(biases) for _, biases in model.layers)],
    }
    path = Path(folder) / _FILE
    checkpoints.save(path, model.layers, facts)
    return path


def kept(folder: str) -> Model:
    """Read a model from its folder; raise CheckpointError if there is none."""
    path = Path(folder) / _FILE if Path(folder).is_dir() else Path(folder)
    facts = checkpoints.load(path).facts
    if not {"columns", "target", "sizes"} <= facts.keys():
        raise CheckpointError(
            Says("{0} holds no model.", "{0} não contém um modelo.").fill(path),
            Says(
                "corrente train data.csv --target y --save model/",
                "corrente train dados.csv --target y --save modelo/",
            ),
            False,
        )
    like = start(np.random.default_rng(0), facts["sizes"], ACTIVATION, np.float64)
    columns = tuple(
        Column._make(column)._replace(categories=tuple(column[-1])) for column in facts["columns"]
    )
    target = Target._make(facts["target"])
    target = target._replace(classes=tuple(target.classes))
    return Model(columns, target, checkpoints.load(path, like).values)
