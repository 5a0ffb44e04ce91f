"""The commands `corrente train` and `corrente predict`: words in, lines out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from corrente.errors import BadArgument, BadValue
from corrente.learning import fitting, reports
from corrente.learning.fitting import Model
from corrente.learning.tables import read
from corrente.options import misread
from corrente.program import write_whole
from corrente.words import LANGUAGES, Says, plain

HELP = Says(
    en="""\
usage: corrente train DATA --target COLUMN [options]
       corrente predict MODEL DATA [--save FILE.csv] [--lang LANG]

Learns to predict one column of a CSV or Parquet file from the others. Text becomes categories,
numbers are scaled, holes are filled and marked, the learning rate is found by itself. A fifth of
the rows is held back to tell what the result is worth.

options of train:
  --target COLUMN   what to predict
  --kind KIND       class or number, where it cannot be told from the column
  --hidden SIZES    sizes of the hidden layers: 100 or 100,50
  --epochs N        at most so many times through the data (200)
  --seed N          chance, repeatable (0)
  --save FOLDER     keep the model, for corrente predict
  --report PATH     write a report in HTML
  --json            print everything as JSON, and nothing else
  --lang LANG       en or pt""",
    pt="""\
uso: corrente train DADOS --target COLUNA [opções]
     corrente predict MODELO DADOS [--save ARQUIVO.csv] [--lang LÍNGUA]

Aprende a prever uma coluna de um arquivo CSV ou Parquet a partir das outras. Texto vira categoria,
números são postos em escala, lacunas são preenchidas e marcadas, a taxa de aprendizado é
encontrada por si. Um quinto das linhas fica reservado para dizer quanto vale o resultado.

opções de train:
  --target COLUNA   o que prever
  --kind TIPO       class ou number, quando a coluna não o deixa claro
  --hidden TAMANHOS tamanhos das camadas ocultas: 100 ou 100,50
  --epochs N        no máximo tantas vezes pelos dados (200)
  --seed N          acaso, repetível (0)
  --save PASTA      guarda o modelo, para corrente predict
  --report CAMINHO  grava um relatório em HTML
  --json            imprime tudo em JSON, e nada mais
  --lang LÍNGUA     en ou pt""",
)
_USE = plain("corrente train data.csv --target price, corrente predict model/ new.csv")


def train(words: Sequence[str]) -> None:
    """Run `corrente train` with the words after it."""
    click = _click()
    options = [
        click.Argument(["data"], nargs=-1),
        *(click.Option([f"--{name}"]) for name in ("target", "kind", "save", "report")),
        click.Option(["--hidden"], default="100"),
        click.Option(["--epochs"], default="200"),
        click.Option(["--seed"], default="0"),
        *_common(click, "json"),
    ]
    given = _parsed("train", options, words)
    if given is None:
        return
    (path,) = _counted(given["data"], 1)
    if given["target"] is None or given["kind"] not in (None, "class", "number"):
        raise BadArgument(
            Says(
                "say what to predict: --target, and --kind class or number.",
                "diga o que prever: --target, e --kind class ou number.",
            ),
            _USE,
            False,
        )
    lang = given["lang"]
    fitted = fitting.fit(
        read(path),
        given["target"],
        kind=given["kind"],
        hidden=[_whole("hidden", size) for size in given["hidden"].split(",")],
        epochs=_whole("epochs", given["epochs"]),
        seed=_whole("seed", given["seed"], least=0),
        progress=False if given["json"] else None,
        lang=lang,
    )
    saved = []
    if given["save"]:
        saved.append(_written(lambda: fitting.keep(fitted.model, given["save"])))
    if given["report"]:
        saved.append(_written(lambda: _page(given["report"], reports.page(fitted, lang))))
    if given["json"]:
        print(json.dumps(reports.data(fitted), ensure_ascii=False, allow_nan=False))
        return
    for line in reports.told(fitted):
        print(line.into(lang))
    for path in saved:
        print(Says("saved: {0}", "gravado: {0}").fill(path).into(lang))


def predict(words: Sequence[str]) -> None:
    """Run `corrente predict` with the words after it."""
    click = _click()
    options = [click.Argument(["data"], nargs=-1), click.Option(["--save"]), *_common(click)]
    given = _parsed("predict", options, words)
    if given is None:
        return
    folder, path = _counted(given["data"], 2)
    text = _predicted(fitting.kept(folder), read(path))
    if given["save"] is None:
        print(text, end="")
    else:
        path = _written(lambda: _page(given["save"], text))
        print(Says("saved: {0}", "gravado: {0}").fill(path).into(given["lang"]))


def _predicted(model: Model, table: Any) -> str:
    """Return predictions as CSV: the target's name, and for classes how likely it is."""
    found, target = model.scores(table), model.target
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    if not target.classes:
        rows.writerow([target.name])
        rows.writerows([repr(float(v))] for v in target.centre + target.scale * found[:, 0])
        return out.getvalue()
    odds = np.exp(found - found.max(axis=1, keepdims=True))
    likely = odds.max(axis=1) / odds.sum(axis=1)
    rows.writerow([target.name, "probability"])
    names = (target.classes[k] for k in found.argmax(axis=1))
    rows.writerows([name, f"{p:.6g}"] for name, p in zip(names, likely, strict=True))
    return out.getvalue()


def _page(path: str, text: str) -> str:
    write_whole(Path(path), text)
    return path


def _written(write: Any) -> str:
    try:
        return str(write())
    except OSError as error:
        if hasattr(error, "render"):
            raise
        raise BadValue(
            Says("cannot write: {0}", "não dá para gravar: {0}").fill(error),
            Says("a folder that exists and is yours.", "uma pasta que exista e seja sua."),
            False,
        ) from None


# --- words --------------------------------------------------------------------------------------


def _click() -> ModuleType:
    import click  # noqa: PLC0415  # only the command line pays for it

    return click


def _common(click: Any, *flags: str) -> list[Any]:
    return [
        click.Option(["--lang"], default=LANGUAGES[0]),
        *(click.Option([f"--{flag}"], is_flag=True) for flag in ("help", *flags)),
    ]


def _parsed(name: str, options: list[Any], words: Sequence[str]) -> dict[str, Any] | None:
    """Read the options; print the help and return None where it was asked for."""
    click = _click()
    command = click.Command(name, params=options, add_help_option=False)
    try:
        given = command.make_context(name, list(words)).params
    except click.UsageError as error:
        mend = Says("corrente {0} --help", "corrente {0} --help").fill(name)
        raise BadArgument(misread(click, error), mend, False) from None
    if given["lang"] not in LANGUAGES:
        raise BadValue(
            Says("there is no language {0} here.", "não há aqui a língua {0}.").fill(given["lang"]),
            plain("--lang en, --lang pt"),
            False,
        )
    if given["help"]:
        print(HELP.into(given["lang"]))
        return None
    return given


def _counted(data: Sequence[str], count: int) -> Sequence[str]:
    if len(data) != count:
        raise BadArgument(
            Says("{0} files were given, not {1}.", "foram dados {0} arquivos, não {1}.").fill(
                len(data), count
            ),
            _USE,
            False,
        )
    return data


def _whole(name: str, text: str, least: int = 1) -> int:
    if not text.strip().isdigit() or int(text) < least:
        raise BadValue(
            Says(
                "--{0} {1} is no whole number from {2} on.",
                "--{0} {1} não é um número inteiro a partir de {2}.",
            ).fill(name, text, least),
            plain(f"--{name} 100"),
            False,
        )
    return int(text)
