"""Networks for scikit-learn: its own checks, pipelines, searches, weights, pieces."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from corrente.errors import BadArgument, BadValue
from corrente.learn import NetworkClassifier, NetworkRegressor

BOTH = pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
# sklearn's own reasons: an optional interface that is off unless a variable of theirs is set
OPTIONAL = {"check_array_api_input"}


@BOTH
def test_scikit_learn_has_nothing_to_say_against_it(kind: Any):
    pytest.importorskip("pandas")
    # a rate of its own: the race for one costs more than the rest, and is tested below
    net = kind(hidden=(10,), rate=0.05, epochs=30)
    told = check_estimator(net, on_skip=None, on_fail=None)
    assert len(told) > 50
    bad = {c["check_name"]: c["exception"] for c in told if c["status"] != "passed"}
    assert set(bad) <= OPTIONAL, bad


def data(kind: Any) -> tuple[Any, Any]:
    return load_iris(return_X_y=True) if kind is NetworkClassifier else diabetes()


def diabetes() -> tuple[Any, Any]:
    X, y = load_diabetes(return_X_y=True)
    return X[:200], y[:200]


def test_digits_are_recognised():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    net = NetworkClassifier(60, random_state=0, epochs=20).fit(X, y)
    assert net.score(X_test, y_test) >= 0.95
    proba = net.predict_proba(X_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.log(proba), net.predict_log_proba(X_test), atol=1e-9)


def test_numbers_are_predicted_in_one_column_or_several():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(300, 2))
    y = np.column_stack([100.0 * X[:, 0] * X[:, 1] + 1000.0, np.sin(3 * X[:, 0])])
    net = NetworkRegressor(30, epochs=120, random_state=0)
    assert net.fit(X, y).score(X, y) > 0.97
    assert net.predict(X).shape == (300, 2)
    assert net.fit(X, y[:, 0]).predict(X).shape == (300,)
    assert net.score(X, y[:, 0]) > 0.97


@BOTH
def test_pipelines_and_searches_take_it(kind: Any):
    X, y = data(kind)
    pipeline = make_pipeline(StandardScaler(), kind(epochs=10, rate=0.01, random_state=0))
    name = kind.__name__.lower()
    grid = {f"{name}__hidden": [(5,), (20,)], f"{name}__penalty": [1e-4, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])


@BOTH
def test_the_state_of_chance_decides_all(kind: Any):
    X, y = data(kind)
    fit = lambda seed: kind(10, epochs=5, random_state=seed).fit(X, y).layers_[0][0].tobytes()
    assert fit(0) == fit(0)
    assert fit(0) != fit(1)


@BOTH
@pytest.mark.parametrize("rate", [0.01, "auto"])
def test_weights_are_repetitions(kind: Any, rate: Any):
    X, y = data(kind)
    X, y = X[::2][:60], y[::2][:60]
    counts = np.random.default_rng(0).integers(0, 4, size=len(y))
    net = lambda: kind(10, activation="tanh", rate=rate, epochs=30, random_state=0)
    weighed = net().fit(X, y, sample_weight=counts)
    repeated = net().fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    np.testing.assert_allclose(weighed.layers_[0][0], repeated.layers_[0][0], rtol=1e-5)
    unweighed = net().fit(X, y)
    assert not np.allclose(weighed.layers_[0][0], unweighed.layers_[0][0], rtol=1e-3)


@BOTH
def test_a_row_without_weight_is_not_there(kind: Any):
    X, y = data(kind)
    weight = np.arange(len(y)) % 3.0
    net = lambda: kind(10, rate=0.01, epochs=3, batch_size=16, random_state=0)
    there = weight > 0
    one = net().fit(X, y, sample_weight=weight)
    other = net().fit(X[there], y[there], sample_weight=weight[there])
    np.testing.assert_array_equal(one.layers_[0][0], other.layers_[0][0])


@BOTH
def test_pieces_go_on_where_the_last_one_ended(kind: Any):
    X, y = data(kind)
    net = lambda epochs: kind(10, rate=0.01, epochs=epochs, batch_size=500, random_state=0)
    pieces = net(1)
    for _ in range(4):
        pieces.partial_fit(X, y, **({"classes": np.unique(y)} if kind is NetworkClassifier else {}))
    whole = net(4).fit(X, y)
    np.testing.assert_allclose(pieces.layers_[0][0], whole.layers_[0][0], rtol=1e-6)


@BOTH
def test_pieces_add_up(kind: Any):
    X, y = data(kind)
    net = kind(20, random_state=0, batch_size=16, rate=0.01)
    more = {"classes": np.unique(y)} if kind is NetworkClassifier else {}
    scores = []
    for _ in range(30):
        for half in (slice(0, None, 2), slice(1, None, 2)):
            net.partial_fit(X[half], y[half], **more)
            more = {}
        scores.append(net.score(X, y))
    assert net.n_iter_ == 60
    assert scores[-1] > scores[0]
    assert scores[-1] > (0.9 if kind is NetworkClassifier else 0.4)


def test_pieces_with_a_new_class_or_a_rate_of_their_own():
    X, y = make_moons(100, random_state=0)
    net = NetworkClassifier(10, random_state=0).partial_fit(X, y, classes=[0, 1])
    assert net.rate_ > 0
    with pytest.raises(BadValue, match="is new"):
        net.partial_fit(X, np.full(100, 7))


def test_early_stopping_holds_rows_back():
    X, y = load_iris(return_X_y=True)
    net = NetworkClassifier(early_stopping=True, patience=3, epochs=500, random_state=0)
    net.fit(X, y)
    assert net.n_iter_ < 500
    assert all(record.validation is not None for record in net.history_)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_is_the_datas(kind: Any, dtype: Any):
    X, y = data(kind)
    net = kind(5, epochs=2, random_state=0).fit(X.astype(dtype), y)
    assert {part.dtype for layer in net.layers_ for part in layer} == {np.dtype(dtype)}


@BOTH
def test_the_circuit_is_there_to_be_seen(kind: Any):
    X, y = data(kind)
    net = kind(5, epochs=2, random_state=0).fit(X, y)
    assert "relu" in str(net.circuit_.circuit)
    assert np.isfinite(net.circuit_.value)


@BOTH
def test_a_trained_network_is_healthy_and_says_what_its_rows_contribute(kind: Any):
    X, y = data(kind)
    found = kind(20, epochs=40, random_state=0).fit(X, y).diagnose()
    assert found.ok, str(found)
    assert found.contributions.of == len(y)
    assert found.rates.stable > 0
    assert "diagnose" not in str(found)


@BOTH
def test_columns_are_called_by_their_names(kind: Any):
    wine = load_wine(as_frame=True)
    net = kind(10, standardise=False, epochs=1, rate=1e-9, optimiser="sgd", random_state=0)
    found = net.fit(wine.data, wine.target).diagnose()
    (ill,) = [finding for finding in found.findings if finding.code == "preprocessing"]
    assert "proline (" in ill.says.en
    assert ill.where is None  # the line of the diagnosis is none of the loss


def test_the_last_step_of_a_pipeline_diagnoses():
    wine = load_wine(as_frame=True)
    scaler = StandardScaler().set_output(transform="pandas")
    net = NetworkClassifier(10, epochs=30, random_state=0)
    pipeline = make_pipeline(scaler, net).fit(wine.data, wine.target)
    assert pipeline[-1].diagnose().ok
    inside = pipeline[:-1].transform(wine.data)
    given = pipeline[-1].diagnose(inside, wine.target)
    assert given.value == pipeline[-1].diagnose().value
    spoiled = inside.copy()
    spoiled.iloc[7, 2] = 1e6
    assert pipeline[-1].diagnose(spoiled, wine.target).contributions.rows[0] == 7


@BOTH
def test_a_diagnosis_weighs_as_the_fit_did(kind: Any):
    X, y = data(kind)
    weight = np.arange(len(y)) % 3.0
    net = kind(10, rate=0.01, epochs=3, random_state=0).fit(X, y, sample_weight=weight)
    there = weight > 0
    value = net.diagnose(X[there], y[there], weight[there]).value
    assert np.isclose(net.diagnose().value, value, rtol=1e-12)
    assert not np.isclose(net.diagnose(X, y).value, value, rtol=1e-6)


@BOTH
def test_pieces_are_diagnosed_on_the_last_one(kind: Any):
    X, y = data(kind)
    more = {"classes": np.unique(y)} if kind is NetworkClassifier else {}
    net = kind(10, rate=0.01, random_state=0).partial_fit(X, y, **more)
    assert net.partial_fit(X[:50], y[:50]).diagnose().contributions.of == 50


@BOTH
def test_data_stay_at_home_and_are_asked_for(kind: Any):
    X, y = data(kind)
    net = kind(5, epochs=2, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(net))
    with pytest.raises(BadArgument, match="did not travel"):
        again.diagnose()
    assert again.diagnose(X, y).value == net.diagnose().value
    assert len(pickle.dumps(net)) < len(pickle.dumps(X)) + 40_000
    with pytest.raises(BadArgument, match="belong together"):
        net.diagnose(X)
    with pytest.raises(NotFittedError):
        kind().diagnose()


def test_a_class_without_weight_does_not_disturb_a_diagnosis():
    X, y = load_iris(return_X_y=True)
    net = NetworkClassifier(5, epochs=2, random_state=0).fit(X, y, sample_weight=y < 2)
    assert np.isfinite(net.diagnose().value)
    with pytest.raises(BadValue, match="is new"):
        net.diagnose(X, y)


@BOTH
def test_it_travels(kind: Any):
    X, y = data(kind)
    net = kind(5, epochs=2, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    assert list(again.history_) == list(net.history_)


@BOTH
def test_a_column_that_never_changes_does_no_harm(kind: Any):
    X, y = data(kind)
    still = np.column_stack([X, np.full(len(X), 1e9)])
    net = kind(5, epochs=5, random_state=0).fit(still, y)
    assert np.isfinite(net.predict(still).astype(float)).all()


@BOTH
def test_what_cannot_be_learned_is_refused(kind: Any):
    X, y = data(kind)
    broken = X.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        kind().fit(broken, y)
    with pytest.raises(BadValue, match="no activation 'step'"):
        kind(activation="step").fit(X, y)
    with pytest.raises(ValueError, match="weight"):
        kind().fit(X, y, sample_weight=np.zeros(len(y)))
