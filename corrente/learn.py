"""Networks as scikit-learn estimators: pipelines, grid searches and cross-validation take them.

scikit-learn asks for classes that inherit from its own, so here, and only here, we inherit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.doctor import Diagnosis, diagnose
from corrente.errors import BadArgument, BadValue
from corrente.extras import load
from corrente.networks import (
    ACTIVATIONS,
    cross_entropy,
    half_squares,
    loss_of,
    scores,
    start,
)
from corrente.program import Program, trace
from corrente.training.batches import source
from corrente.training.rates import suggest
from corrente.training.stepping import named, prepare
from corrente.training.trainer import train
from corrente.words import Says

_PURPOSE = Says("NetworkClassifier and NetworkRegressor", "NetworkClassifier e NetworkRegressor")
_base = load("sklearn.base", "data", _PURPOSE)
_checks = load("sklearn.utils.validation", "data", _PURPOSE)
_targets = load("sklearn.utils.multiclass", "data", _PURPOSE)
_FEW = 8
_FEW_STEPS = 400
"""Trainings up to here are over before a program is compiled."""


class _Network(_base.BaseEstimator):
    """What both estimators share: scaling, training, forward passes."""

    def __init__(
        self,
        hidden: Any = (100,),
        *,
        activation: str = "relu",
        optimiser: Any = "adam",
        rate: Any = "auto",
        epochs: int = 100,
        batch_size: Any = "auto",
        penalty: float = 1e-4,
        standardise: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.optimiser = optimiser
        self.rate = rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.penalty = penalty
        self.standardise = standardise
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose

    @property
    def circuit_(self) -> Program:
        """Trace the loss on the first rows seen: a Program that draws and explains itself."""
        _checks.check_is_fitted(self, "layers_")
        return trace(self._loss())(self.layers_, *self._few)

    def diagnose(
        self, X: Any = None, y: Any = None, sample_weight: Any = None, *, rate: float | None = None
    ) -> Diagnosis:
        """Examine the loss at what was learned, on the data last fitted or on others.

        `X`, `y` and `sample_weight` are as for `fit`, and give the data when they are given; those
        last fitted are kept until then, but not pickled. Columns are called by
        `feature_names_in_`; `rate` is judged as by `co.diagnose`. Raises NotFittedError before
        `fit`, and BadArgument where there are no data.
        """
        _checks.check_is_fitted(self, "layers_")
        if (X is None) != (y is None):
            raise BadArgument(
                Says("X and y belong together.", "X e y vão juntos."),
                Says("give both, or none of them.", "dê os dois, ou nenhum."),
            )
        if X is not None:
            X, y = self._pair(X, y)
            seen = (X, y, self._weights(sample_weight, X))
        else:
            seen = self.__dict__.get("_seen")
        if seen is None:
            raise BadArgument(
                Says(
                    "the data last fitted did not travel with the estimator.",
                    "os dados do último ajuste não viajaram com o estimador.",
                ),
                Says("give them: diagnose(X, y).", "dê-os: diagnose(X, y)."),
            )
        X, y, weight = seen
        data = (self._scaled(X), self._target(y, X.dtype), (weight / weight.mean()).astype(X.dtype))
        names = tuple(str(name) for name in getattr(self, "feature_names_in_", ()))
        return diagnose(self._loss(), self.layers_, *data, columns=names, rate=rate)

    def __getstate__(self) -> Any:
        # whoever sends a model away does not mean to send the data with it
        return {name: part for name, part in super().__getstate__().items() if name != "_seen"}

    def _fit(self, X: Any, y: Any, weight: Any, outs: int) -> Any:
        """Train on checked data: X and y as numbers."""
        kept = weight > 0
        X, y, weight = X[kept], y[kept], weight[kept]
        self._begin(X, weight, outs)
        size = self._size(len(X))
        data = (self._scaled(X), y, (weight / weight.mean()).astype(X.dtype))
        self._few = tuple(part[:_FEW] for part in data)
        held = self.validation_fraction if self.early_stopping else None
        trained = train(
            self._loss(),
            self.layers_,
            data,
            optimiser=self.optimiser,
            rate=self.rate,
            epochs=self.epochs,
            batch_size=size,
            seed=self._seed,
            validation=held,
            patience=self.patience if self.early_stopping else None,
            progress=None if self.verbose else False,
            compiled=self.epochs * -(-len(X) // size) > _FEW_STEPS,
        )
        self.layers_, self.history_ = trained.params, trained.history
        self.rate_, self.n_iter_ = trained.rate, len(trained.history)
        self.loss_curve_ = [record.loss for record in trained.history]
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else float("nan")
        self._leaves = None
        return self

    def _partial_fit(self, X: Any, y: Any, weight: Any, outs: int) -> Any:
        """Go once over some data, from where the call before this one ended."""
        kept = weight > 0
        X, y, weight = X[kept], y[kept], weight[kept]
        if not hasattr(self, "layers_"):
            self._begin(X, weight, outs)
            self.n_iter_, self.loss_curve_, self._leaves = 0, [], None
        size, pair = self._size(len(X)), named(self.optimiser)
        data = source((self._scaled(X), y, (weight / weight.mean()).astype(X.dtype)))
        stepper = prepare(self._loss(), pair, self.layers_)
        if not hasattr(self, "rate_"):
            self.rate_ = self.rate
            if self.rate == "auto":
                self.rate_ = suggest(pair, stepper, data, size, 60, self._seed)
        leaves = stepper.start if self._leaves is None else self._leaves
        losses = []
        for batch in data.read(size, np.random.default_rng([self._seed, 0, self.n_iter_])):
            self._few = tuple(part[:_FEW] for part in batch)
            outcome = stepper.advance(leaves, float(self.rate_), batch, None)
            leaves = outcome.leaves
            losses.append(float(outcome.loss))
        self._leaves, self.layers_ = leaves, stepper.params(leaves)
        self.n_iter_ += 1
        self.loss_ = float(np.mean(losses))
        self.loss_curve_.append(self.loss_)
        return self

    def _begin(self, X: Any, weight: Any, outs: int) -> None:
        """Draw first parameters, and learn the scales of the columns."""
        if self.activation not in ACTIVATIONS:
            raise BadValue(
                Says("there is no activation {0}.", "não há a ativação {0}.").fill(
                    repr(self.activation)
                ),
                Says("one of: {0}.", "uma de: {0}.").fill(", ".join(ACTIVATIONS)),
            )
        rng = np.random.RandomState(_checks.check_random_state(self.random_state).randint(2**31))
        self._seed = int(rng.randint(2**31 - 1))
        sizes = (X.shape[1], *(int(size) for size in np.atleast_1d(self.hidden)), outs)
        draw = np.random.default_rng(self._seed)
        self.layers_ = start(draw, sizes, self.activation, X.dtype)
        self.mean_ = np.average(X, axis=0, weights=weight)
        spread = np.sqrt(np.average((X - self.mean_) ** 2, axis=0, weights=weight))
        # a column that never changes says nothing, and is no ground to divide by nought
        flat = spread <= 10.0 * np.finfo(X.dtype).eps * np.abs(self.mean_)
        self.scale_ = np.where(flat, 1.0, spread)

    def _scaled(self, X: Any) -> Any:
        if not self.standardise:
            return np.ascontiguousarray(X)
        return ((X - self.mean_) / self.scale_).astype(X.dtype)

    def _size(self, rows: int) -> int:
        return min(200, rows) if self.batch_size == "auto" else min(int(self.batch_size), rows)

    def _scores(self, X: Any) -> Any:
        _checks.check_is_fitted(self, "layers_")
        X = _checks.validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return scores(self.layers_, self._scaled(X), self.activation)

    def _loss(self) -> Any:
        return loss_of(self._by_row, self.activation, float(self.penalty))

    def _weights(self, sample_weight: Any, X: Any) -> np.ndarray:
        weight = _checks._check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True
        )
        if not (weight > 0).any():
            raise BadValue(
                Says("every sample has the weight 0.", "toda amostra tem peso 0."),
                Says("give at least one a positive weight.", "dê peso positivo a ao menos uma."),
            )
        return weight


class NetworkClassifier(_base.ClassifierMixin, _Network):
    """A network that classifies, for scikit-learn: `fit`, `predict`, `predict_proba`, `score`.

    `hidden` are the sizes of the hidden layers, `activation` one of relu, tanh, sigmoid,
    softplus, identity; `optimiser`, `rate`, `epochs` as for `co.train`; `batch_size` "auto" is
    min(200, rows); `penalty` weighs ½‖W‖²; `standardise` gives each column mean 0 and spread 1.
    With `early_stopping` a `validation_fraction` is held back, and training ends after `patience`
    epochs without a better loss there. `random_state` makes it repeatable; `verbose` draws
    progress.

    After `fit`: `classes_`, `layers_`, `history_`, `loss_curve_`, `rate_`, `n_iter_`, and
    `circuit_`, the loss as a circuit; `diagnose` examines its gradient.

    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> net = NetworkClassifier(8, epochs=50, random_state=0).fit(X, ["a", "a", "b", "b"])
    >>> net.predict([[0.2], [2.8]]).tolist()
    ['a', 'b']
    """

    _by_row = staticmethod(cross_entropy)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkClassifier:
        """Learn from rows X and classes y; `sample_weight` weighs the rows."""
        X, y = _checks.validate_data(self, X, y, dtype=[np.float64, np.float32])
        y = self._labels(y)
        weight = self._weights(sample_weight, X)
        self._seen = X, y, weight
        self.classes_ = np.unique(y[weight > 0])
        kept = np.isin(y, self.classes_)
        X, y, weight = X[kept], y[kept], weight[kept]
        for name in ("layers_", "rate_"):
            self.__dict__.pop(name, None)
        return self._fit(X, np.searchsorted(self.classes_, y), weight, len(self.classes_))

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> NetworkClassifier:
        """Learn from some rows, after others; `classes` names them all at the first call."""
        first = not hasattr(self, "layers_")
        X, y = _checks.validate_data(self, X, y, reset=first, dtype=[np.float64, np.float32])
        y = self._labels(y)
        if _targets._check_partial_fit_first_call(self, classes):
            self.__dict__.pop("layers_", None)
        self._refuse_new(y)
        weight = self._weights(sample_weight, X)
        self._seen = X, y, weight
        return self._partial_fit(X, self._target(y, X.dtype), weight, len(self.classes_))

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each row."""
        likeliest = np.argmax(self._scores(X), axis=1)
        return self.classes_[likeliest]

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, in the order of `classes_`."""
        found = self._scores(X)
        found = np.exp(found - found.max(axis=1, keepdims=True))
        return found / found.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of the probability of each class."""
        found = self._scores(X)
        found = found - found.max(axis=1, keepdims=True)
        return found - np.log(np.exp(found).sum(axis=1, keepdims=True))

    def _refuse_new(self, y: Any) -> None:
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise BadValue(
                Says("the class {0} is new.", "a classe {0} é nova.").fill(repr(unknown[0])),
                Says(
                    "name all classes at the first call: partial_fit(X, y, classes=…).",
                    "dê todas as classes na primeira chamada: partial_fit(X, y, classes=…).",
                ),
            )

    def _pair(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = _checks.validate_data(self, X, y, reset=False, dtype=[np.float64, np.float32])
        y = self._labels(y)
        self._refuse_new(y)
        return X, y

    def _target(self, y: Any, dtype: Any) -> Any:
        # a class that only rows without weight have is none that was learned
        return np.searchsorted(
            self.classes_, np.where(np.isin(y, self.classes_), y, self.classes_[0])
        )

    def _labels(self, y: Any) -> Any:
        y = _checks.column_or_1d(y, warn=True)
        _targets.check_classification_targets(y)
        return y


class NetworkRegressor(_base.RegressorMixin, _Network):
    """A network that predicts numbers, for scikit-learn: `fit`, `predict`, `score`.

    Parameters as for NetworkClassifier; y may have several columns, and with `standardise` is
    itself scaled while learning.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> net = NetworkRegressor(20, epochs=200, random_state=0).fit(X, X[:, 0] ** 2)
    >>> bool(net.score(X, X[:, 0] ** 2) > 0.95)
    True
    """

    _by_row = staticmethod(half_squares)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """Learn from rows X and numbers y; `sample_weight` weighs the rows."""
        X, y = self._checked(X, y, True)
        weight = self._weights(sample_weight, X)
        for name in ("layers_", "rate_"):
            self.__dict__.pop(name, None)
        self._measure(y, weight)
        self._seen = X, y, weight
        inside = self._target(y, X.dtype)
        return self._fit(X, inside, weight, inside.shape[1])

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """Learn from some rows, after others."""
        first = not hasattr(self, "layers_")
        X, y = self._checked(X, y, first)
        weight = self._weights(sample_weight, X)
        if first:
            self._measure(y, weight)
        self._seen = X, y, weight
        inside = self._target(y, X.dtype)
        return self._partial_fit(X, inside, weight, inside.shape[1])

    def predict(self, X: Any) -> Any:
        """Return the number (or row of numbers) expected for each row."""
        found = self._scores(X) * self.y_scale_ + self.y_mean_
        return found[:, 0] if self._single else found

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = _checks.validate_data(
            self,
            X,
            y,
            reset=reset,
            multi_output=True,
            y_numeric=True,
            dtype=[np.float64, np.float32],
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = _checks.column_or_1d(y, warn=False)[:, None]
        return X, np.asarray(y)

    def _measure(self, y: Any, weight: Any) -> None:
        self._single = y.ndim == 1
        y = y.reshape(len(y), -1).astype(float)
        outs = y.shape[1]
        self.y_mean_, self.y_scale_ = np.zeros(outs), np.ones(outs)
        if self.standardise:
            self.y_mean_ = np.average(y, axis=0, weights=weight)
            spread = np.sqrt(np.average((y - self.y_mean_) ** 2, axis=0, weights=weight))
            self.y_scale_ = np.where(spread <= 1e-14 * np.abs(self.y_mean_), 1.0, spread)

    def _pair(self, X: Any, y: Any) -> tuple[Any, Any]:
        return self._checked(X, y, False)

    def _target(self, y: Any, dtype: Any) -> Any:
        scaled = (y.reshape(len(y), -1).astype(float) - self.y_mean_) / self.y_scale_
        return scaled.astype(dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
