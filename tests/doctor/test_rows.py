"""What rows and shards contribute, and which rates a loss allows: the measures themselves."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import corrente as co
from corrente import nn
from corrente.doctor import diagnose
from corrente.doctor.shards import check_shards
from corrente.training.contributions import Share, shares


def squares(w, X, y):
    return np.mean((X @ w - y) ** 2)


def line(rows=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3))
    return X, X @ [1.0, -2.0, 0.5] + rng.normal(size=rows)


def alone(loss, w, *data):
    """Take each row's gradient by itself, in a loop."""
    rows = range(len(data[0]))
    one = lambda k: co.grad(loss)(w, *(part[k : k + 1] for part in data))
    return np.array([np.linalg.norm(one(k)) for k in rows])


def test_each_row_has_its_own_gradient():
    X, y = line()
    found = diagnose(squares, np.ones(3), X, y).contributions
    norms = alone(squares, np.ones(3), X, y)
    order = np.argsort(-norms)
    assert list(found.rows) == order.tolist()
    np.testing.assert_allclose(found.norms, norms[order], rtol=1e-12)
    np.testing.assert_allclose(found.shares, norms[order] / norms.sum(), rtol=1e-12)
    assert (found.of, found.broken) == (30, ())
    assert found.needed(1.0) == 30
    assert math.fsum(found.shares[: found.needed(0.5)]) >= 0.5
    assert math.fsum(found.shares[: found.needed(0.5) - 1]) < 0.5


@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_a_sum_over_rows_may_have_a_penalty(factor):
    X, y = line()
    total = lambda w, X, y: np.sum((X @ w - y) ** 2) + factor * w @ w
    found = diagnose(total, np.ones(3), X, y).contributions
    np.testing.assert_allclose(found.norms, np.sort(alone(total, np.ones(3), X, y))[::-1])


def test_classes_and_nested_data_have_rows_too():
    X, y = line()
    labels = (y > 0).astype(int)
    loss = lambda p, data: nn.cross_entropy(data["X"] @ p["W"] + p["b"], data["labels"])
    params = {"W": np.ones((3, 2)) * [1.0, -1.0], "b": np.zeros(2)}
    found = diagnose(loss, params, {"X": X, "labels": labels}).contributions
    assert found.of == 30
    slopes = [
        co.grad(loss)(params, {"X": X[k : k + 1], "labels": labels[k : k + 1]}) for k in found.rows
    ]
    norms = [math.hypot(np.linalg.norm(g["W"]), np.linalg.norm(g["b"])) for g in slopes]
    np.testing.assert_allclose(found.norms, norms, rtol=1e-12)


def normed(w, X, y):
    z = X @ w
    return np.mean(((z - z.mean()) / np.sqrt(z.var() + 1e-3) - y) ** 2)


def shaped(w, X, y):
    return np.mean((X.reshape(30, 3) @ w - y) ** 2)


@pytest.mark.parametrize(
    ("loss", "word", "palavra"),
    [
        (normed, "no mean or sum over the rows of X, y", "não é média nem soma"),
        (shaped, "cannot be taken of one row alone (ValueError", "não pode ser tirada"),
    ],
)
def test_a_loss_that_has_no_rows_says_so(loss, word, palavra):
    found = diagnose(loss, np.ones(3), *line())
    assert found.contributions is None
    assert [word in note.en and palavra in note.pt for note in found.notes] == [True]
    assert word in str(found)
    assert found.rates is not None


def test_without_data_there_is_nothing_to_say():
    found = diagnose(lambda w: np.sum(w**2), np.ones(3))
    assert (found.contributions, found.rates, found.notes) == (None, None, ())


def test_the_rows_that_make_nan_are_named():
    X, y = line(200)
    X[[19, 150]] = -1.0
    X[19, 0] = np.nan
    loss = lambda w, X, y: np.mean((X @ w - y) ** 2)
    (ill,) = diagnose(loss, np.ones(3), X, y).findings
    assert "It comes only from row 19 (1 of 200)." in ill.says.en
    assert "Vem só da linha 19 (1 de 200)." in ill.says.pt
    without = ill.effects[-1]
    kept = np.arange(200) != 19
    assert without.after == pytest.approx(squares(np.ones(3), X[kept], y[kept]))


def test_a_slope_that_is_nan_has_its_rows_as_well():
    loss = lambda w, X: np.mean(np.sqrt(np.sum((X * w) ** 2, axis=1)))
    X = np.ones((12, 2))
    X[4] = 0.0
    found = diagnose(loss, np.ones(2), X)
    assert found.contributions.broken == (4,)
    assert "only from row 4" in found.findings[0].says.en


@pytest.mark.parametrize("rows", [3000, 40_000])
def test_of_many_rows_the_loud_and_the_broken_are_looked_at(rows):
    X, y = line(rows)
    y[rows // 3] = 1e9
    found = diagnose(squares, np.zeros(3), X, y)
    assert len(found.contributions.rows) < rows or rows <= 2048
    assert found.contributions.rows[0] == rows // 3
    assert [f.code for f in found.findings] == ["row-share"]
    X[rows // 7, 1] = np.inf
    ill = diagnose(squares, np.zeros(3), X, y)
    assert ill.contributions.broken == (rows // 7,)
    assert f"row {rows // 7} " in ill.findings[0].says.en


def test_the_advice_on_rows_happens():
    X, y = line(60)
    y[17] = 4000.0
    (ill,) = diagnose(squares, np.zeros(3), X, y).findings
    assert ill.code == "row-share"
    size, left_out, _, robust, clipped = ill.effects
    kept = np.arange(60) != 17
    grad = co.grad(squares)
    assert size.before == pytest.approx(np.linalg.norm(grad(np.zeros(3), X, y)))
    assert size.after == pytest.approx(np.linalg.norm(grad(np.zeros(3), X[kept], y[kept])))
    best = np.linalg.lstsq(X[kept], y[kept], rcond=None)[0]
    assert left_out.after == pytest.approx(squares(best, X[kept], y[kept]), rel=0.05)
    for cure in (left_out, robust, clipped):
        assert cure.after < 0.5 * cure.before


# --- rates ----------------------------------------------------------------------------------------


def test_the_rates_are_those_of_the_curvature():
    X, y = line()
    found = diagnose(squares, np.zeros(3), X, y).rates
    values = np.linalg.eigvalsh(2.0 * X.T @ X / len(X))
    assert found.stable == pytest.approx(2.0 / values[-1], rel=1e-6)
    assert found.best == pytest.approx(2.0 / (values[-1] + values[0]), rel=1e-6)
    assert 0.1 * found.stable < found.turn < 10.0 * found.stable
    rates, losses = zip(*found.test, strict=True)
    assert list(rates) == sorted(rates)
    assert min(losses) < 0.6 * losses[0]


def test_a_loss_that_is_no_quadratic_has_no_best_rate():
    X, y = line()
    loss = lambda w, X, y: np.mean((np.tanh(X @ w["a"]) @ w["b"] - y) ** 2)
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=(3, 20)), "b": rng.normal(size=20)}
    found = diagnose(loss, params, X, y).rates
    assert math.isnan(found.best)
    assert found.json()["best"] == "nan"
    assert "quadratic" not in found.says.en


def test_where_nothing_bends_a_note_says_why():
    found = diagnose(lambda w, X: np.mean(X @ w), np.ones(3), np.ones((9, 3)))
    assert found.rates is None
    assert any("nothing bends up" in note.en for note in found.notes)


def test_a_circuit_that_is_too_long_is_left_alone(monkeypatch):
    monkeypatch.setattr("corrente.doctor.rates.MOST", 0.5)
    found = diagnose(squares, np.zeros(3), *line())
    assert found.rates is None
    assert any("too long" in note.en for note in found.notes)


# --- shards ---------------------------------------------------------------------------------------


def share(number, norm, fraction, **more):
    known = {"loss": 1.0, "finite": True, "first_bad_row": None, "bad_rows": 0}
    return Share(number, 10 * number, 10, norm=norm, fraction=fraction, **(known | more))


def test_shards_of_one_size_are_well():
    assert not list(check_shards([share(k, 1.0 + 0.2 * k, 0.25) for k in range(4)]))
    assert not list(check_shards([share(0, 9.0, 0.9), share(1, 1.0, 0.1)]))  # two say nothing
    X, y = line(160)
    assert diagnose(squares, np.zeros(3), X, y, shards=shares(squares, np.zeros(3), (X, y))).ok


def test_a_loud_shard_and_a_broken_one_are_named():
    loud = [share(k, 100.0 if k == 2 else 1.0, 0.97 if k == 2 else 0.01) for k in range(4)]
    (ill,) = check_shards(loud)
    assert ill.says.en.startswith("shard 2 makes 97% of the norm")
    assert ill.says.pt.startswith("o fragmento 2 faz 97% da norma")
    nan = float("nan")
    broken = share(3, nan, nan, loss=nan, finite=False, first_bad_row=31, bad_rows=2)
    (found,) = check_shards([*loud[:2], broken])
    assert found.code == "nan"
    assert found.says.en.startswith("NaN only from shard 3, row 31")
    overflow = share(3, nan, nan, loss=math.inf, finite=False)
    (found,) = check_shards([*loud[:2], overflow])
    assert found.code == "inf"
    assert "no row is at fault" in found.advice.en


# --- all of it, as it is read ---------------------------------------------------------------------


def test_the_report_has_it_all(tmp_path):
    X, y = line()
    found = diagnose(squares, np.zeros(3), X, y)
    told = json.loads(json.dumps(found.json(), allow_nan=False))
    assert told["contributions"]["rows"] == list(found.contributions.rows)
    assert told["rates"]["stable"] == found.rates.stable
    assert set(told["rates"]["says"]) == {"en", "pt"}
    assert told["notes"] == []
    for lang, words in (("en", ("rows: 30 of 30", "largest stable")), ("pt", ("linhas:", "taxa:"))):
        found.save(tmp_path / "d.html", lang)
        page = (tmp_path / "d.html").read_text("utf-8")
        assert page.count("<svg") == 2
        for word in words:
            assert word in page
            assert word in found.render(lang)


@pytest.mark.parametrize("seed", range(5))
def test_healthy_rows_are_not_accused_with_the_odd_one(seed):
    x = np.random.default_rng(seed).normal(size=(200, 3))
    y = x @ [1.0, -2.0, 0.5]
    y[17] = 9000.0
    (ill,) = diagnose(squares, np.zeros(3), x, y).findings
    assert ill.code == "row-share"
    assert ill.says.en.startswith("row 17 of 200 makes most")
    y[90] = 5000.0
    (ill,) = diagnose(squares, np.zeros(3), x, y).findings
    assert ill.says.en.startswith("rows 17, 90 of 200 make most")


def test_where_every_row_is_nan_the_note_says_so():
    X, _ = line()
    (note,) = diagnose(lambda w, X: np.mean(np.log(X @ w - 1e3)), np.ones(3), X).notes
    assert "12 of 12 rows tried give NaN or infinity" in note.en
    assert "12 de 12 linhas experimentadas dão NaN" in note.pt


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    found = diagnose(squares, np.zeros(3), *line())
    with pytest.raises(co.CorrenteError) as raised:
        found.save(tmp_path / "no" / "such" / "d.html")
    assert f"there is no folder {tmp_path / 'no' / 'such'}." in raised.value.what.en
    assert "não existe a pasta" in raised.value.render("pt")
