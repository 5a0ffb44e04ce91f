"""The commands train and predict: from a file to a model, a report and predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.errors import BadArgument, BadValue, CorrenteError
from corrente.learning import predict, train

pytest.importorskip("pandas")


def written(folder: Path) -> str:
    rng = np.random.default_rng(0)
    lines = ["x;cor;preço;classe"]
    for _ in range(120):
        x, word = rng.normal(), rng.choice(["azul", "verde"])
        price = 10.0 + 3.0 * x * (1 if word == "azul" else -1)
        lines.append(f"{x:.4f};{word};{price:.4f};{'alto' if price > 10 else 'baixo'}")
    path = folder / "dados.csv"
    path.write_text("\n".join(lines).replace(".", ","), encoding="utf-8")
    return str(path)


def test_from_a_file_to_predictions(tmp_path: Path, capsys: Any):
    data, model, page = written(tmp_path), str(tmp_path / "model"), str(tmp_path / "r.html")
    train([data, "--target", "preço", "--hidden", "20,10", "--save", model, "--report", page])
    told = capsys.readouterr().out
    assert "120 rows, 3 columns → numbers: preço" in told
    assert f"saved: {page}" in told
    assert Path(page).read_text(encoding="utf-8").startswith("<!doctype html>")
    predict([model, data])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "preço"
    truth = [
        float(line.split(";")[2].replace(",", "."))
        for line in Path(data).read_text("utf-8").splitlines()[1:]
    ]
    assert np.corrcoef([float(row) for row in rows], truth)[0, 1] > 0.98


def test_classes_come_with_their_probability(tmp_path: Path, capsys: Any):
    data, model, out = written(tmp_path), str(tmp_path / "model"), str(tmp_path / "out.csv")
    train([data, "--target=classe", "--epochs", "30", "--save", model, "--json", "--seed", "3"])
    found = json.loads(capsys.readouterr().out)
    assert found["classes"] == ["alto", "baixo"]
    assert found["worth"]["accuracy"] > 0.8
    predict([model, data, "--save", out, "--lang", "pt"])
    assert capsys.readouterr().out == f"gravado: {out}\n"
    head, *rows = Path(out).read_text("utf-8").splitlines()
    assert head == "classe,probability"
    assert len(rows) == 120
    assert {row.split(",")[0] for row in rows} == {"alto", "baixo"}
    assert all(0.5 <= float(row.split(",")[1]) <= 1.0 for row in rows)


@pytest.mark.parametrize("run", [train, predict])
def test_help_is_there_in_both_languages(capsys: Any, run: Any):
    run(["--help"])
    assert capsys.readouterr().out.startswith("usage: corrente train")
    run(["--help", "--lang", "pt"])
    assert capsys.readouterr().out.startswith("uso: corrente train")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ([], BadArgument, "0 files"),
        (["{}"], BadArgument, "what to predict"),
        (["{}", "--target", "x", "--kind", "thing"], BadArgument, "what to predict"),
        (["{}", "--target", "z"], BadArgument, "no column z"),
        (["{}", "--target", "x", "--hidden", "ten"], BadValue, "--hidden ten"),
        (["{}", "--target", "x", "--epochs", "0"], BadValue, "--epochs 0"),
        (["{}", "--target", "x", "--seed", "-1"], BadValue, "--seed -1"),
        (["{}", "--target", "x", "--lang", "fr"], BadValue, "no language fr"),
        (["{}", "--tarjet", "x"], BadArgument, "tarjet"),
        (["{}", "--target"], BadArgument, "target"),
        (["none.csv", "--target", "x"], BadArgument, "no file none.csv"),
        (["{}", "--target", "x", "--epochs", "1", "--report", "{}/no/r.html"], BadValue, "write"),
        (["{}", "--target", "x", "--epochs", "1", "--save", "{}"], BadValue, "write"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: list[str], error: Any, said: str):
    data = written(tmp_path)
    with pytest.raises(error, match=said) as caught:
        train([word.replace("{}", data) for word in words])
    assert isinstance(caught.value, CorrenteError)
    assert caught.value.render("pt") != caught.value.render("en")


def test_predicting_needs_a_model_and_data(tmp_path: Path):
    data = written(tmp_path)
    with pytest.raises(BadArgument, match="1 files"):
        predict([data])
    with pytest.raises(CorrenteError, match="safetensors"):
        predict([data, data])
