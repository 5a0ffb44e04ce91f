"""Recipes: columns of mixed types become numbers, the same way in training and ever after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from corrente.errors import BadArgument, BadValue
from corrente.learning.recipes import aim, encode, hit, holes, learn


def text(*values: str | None) -> np.ndarray:
    found = np.empty(len(values), object)
    found[:] = values
    return found


RNG = np.random.default_rng(0)
ROWS = 60
TABLE: dict[str, np.ndarray] = {
    "plain": RNG.normal(3.0, 2.0, size=ROWS),
    "skewed": RNG.lognormal(0.0, 2.0, size=ROWS),
    "holed": np.where(np.arange(ROWS) % 3 == 0, np.nan, np.arange(ROWS, dtype=float)),
    "word": text(*["a", "b", "c", None] * (ROWS // 4)),
    "name": text(*(f"row {k}" for k in range(ROWS))),
    "same": np.ones(ROWS),
    "void": np.full(ROWS, np.nan),
}


def test_each_column_gets_the_recipe_it_needs():
    columns = {column.name: column for column in learn(TABLE, list(TABLE))}
    assert {name: column.kind for name, column in columns.items()} == {
        "plain": "number",
        "skewed": "number",
        "holed": "number",
        "word": "category",
        "name": "left",
        "same": "left",
        "void": "left",
    }
    assert [columns[name].log for name in ("plain", "skewed", "holed")] == [False, True, False]
    assert [columns[name].holes for name in ("plain", "skewed", "holed")] == [False, False, True]
    assert columns["word"].categories == ("a", "b", "c")


def test_what_comes_out_is_centred_scaled_and_finite():
    columns = learn(TABLE, list(TABLE))
    found = encode(columns, TABLE)
    assert found.shape == (ROWS, sum(column.width for column in columns)) == (ROWS, 7)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, :3].mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(found[:, :3].std(axis=0), 1.0)
    assert found[:, 3].tolist() == holes(TABLE["holed"]).astype(float).tolist()
    assert found[:4, 4:].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_new_rows_follow_what_was_learned():
    columns = learn(TABLE, ["plain", "word", "skewed"])
    new = {"plain": np.array([np.inf]), "word": text("z"), "skewed": np.array([-5.0])}
    found = encode(columns, new)
    middle = (np.median(TABLE["plain"]) - TABLE["plain"].mean()) / TABLE["plain"].std()
    assert found[0, 0] == pytest.approx(middle)
    assert found[0, 1:4].tolist() == [0, 0, 0]
    assert np.isfinite(found).all()


def test_every_recipe_says_what_it_does():
    said = {column.name: column.says for column in learn(TABLE, list(TABLE))}
    assert said["skewed"].en.startswith("logarithm, mean")
    assert said["holed"].pt.endswith("lacunas marcadas")
    assert said["word"].en == "3 categories"
    assert said["name"].pt.startswith("omitida")


def test_missing_and_changed_columns_are_told():
    columns = learn(TABLE, ["plain", "word"])
    with pytest.raises(BadArgument, match="lacks word"):
        encode(columns, {"plain": np.zeros(1)})
    with pytest.raises(BadValue, match="plain holds text"):
        encode(columns, {"plain": text("x"), "word": text("a")})


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (text(*"abab" * 5), None, ("a", "b")),
        (np.arange(40.0) % 3, None, ("0", "1", "2")),
        (np.arange(40.0) % 3, "number", ()),
        (np.arange(40.0), None, ()),
        (np.arange(40.0), "class", tuple(str(k) for k in range(40))),
        (np.arange(40.0) % 2 + 0.5, None, ()),
        (np.arange(40.0) % 2 + 0.5, "class", ("0.5", "1.5")),
    ],
)
def test_the_target_tells_whether_it_is_a_class(values: Any, kind: Any, classes: Any):
    target = aim({"t": values}, "t", kind)
    assert target.classes == classes
    made = hit(target, values)
    if classes:
        shown = [v if isinstance(v, str) else f"{v:g}" for v in values]
        assert [classes[k] for k in made] == shown
    else:
        np.testing.assert_allclose(made[:, 0] * target.scale + target.centre, values)


def test_targets_that_cannot_be_predicted_are_told():
    with pytest.raises(BadValue, match="the same in every row"):
        aim({"t": np.ones(5)}, "t")
    with pytest.raises(BadValue, match="is text"):
        aim({"t": text("a", "b")}, "t", "number")
