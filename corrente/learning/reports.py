"""What came of a training, as text, as data and as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from corrente.learning.fitting import Fitted
from corrente.words import Says

_NAMES = {
    "accuracy": Says("right", "acertos"),
    "log_loss": Says("log loss", "perda logarítmica"),
    "r2": Says("R²", "R²"),
    "root_mean_square": Says("root mean square error", "raiz do erro quadrático médio"),
    "mean_absolute": Says("mean absolute error", "erro absoluto médio"),
}
_WIDTH, _HEIGHT, _EDGE = 560, 240, 40


def told(fitted: Fitted) -> list[Says]:
    """Tell in lines what was learned and what it is worth."""
    target, training = fitted.model.target, fitted.training
    what = (
        Says("{0} classes of {1}", "{0} classes de {1}").fill(len(target.classes), target.name)
        if target.classes
        else Says("numbers: {0}", "números: {0}").fill(target.name)
    )
    used = sum(column.kind != "left" for column in fitted.model.columns)
    lines = [
        Says("{0} rows, {1} columns → {2}", "{0} linhas, {1} colunas → {2}").fill(
            fitted.rows, used, what
        ),
        training.says,
        Says("on {0} rows never seen:", "em {0} linhas nunca vistas:").fill(len(fitted.truth)),
    ]
    if fitted.dropped:
        dropped = Says(
            "{0} rows without a target were left out", "{0} linhas sem alvo foram omitidas"
        )
        lines.insert(1, dropped.fill(fitted.dropped))
    for name, value in fitted.worth.items():
        lines.append(
            Says("  {0}: {1} (without learning: {2})", "  {0}: {1} (sem aprender: {2})").fill(
                _NAMES[name], _shown(name, value), _shown(name, fitted.without[name])
            )
        )
    return lines


def data(fitted: Fitted) -> dict[str, Any]:
    """Return the same as plain data for JSON."""
    return {
        "target": fitted.model.target.name,
        "classes": list(fitted.model.target.classes),
        "rows": fitted.rows,
        "dropped": fitted.dropped,
        "held": len(fitted.truth),
        "columns": {column.name: column.kind for column in fitted.model.columns},
        "worth": fitted.worth,
        "without_learning": fitted.without,
        "rate": fitted.training.rate,
        "stopped": fitted.training.stopped,
        "history": [record._asdict() for record in fitted.training.history],
    }


def page(fitted: Fitted, lang: str = "en") -> str:
    """Return the report as one HTML page."""
    title = Says("What was learned of {0}", "O que se aprendeu de {0}").fill(
        fitted.model.target.name
    )
    text = "".join(f"<p>{escape(line.into(lang))}</p>" for line in told(fitted))
    rows = "".join(
        f"<tr><td>{escape(column.name)}</td><td>{escape(column.says.into(lang))}</td></tr>"
        for column in fitted.model.columns
    )
    second = _confusion(fitted, lang) if fitted.model.target.classes else _scatter(fitted, lang)
    heads = [
        Says("Training", "Treino"),
        Says("Held-back rows", "Linhas reservadas"),
        Says("Columns", "Colunas"),
    ]
    parts = [_curves(fitted, lang), second, f"<table>{rows}</table>"]
    body = "".join(
        f"<h2>{escape(head.into(lang))}</h2>{part}" for head, part in zip(heads, parts, strict=True)
    )
    name = escape(title.into(lang))
    language = "pt-BR" if lang == "pt" else "en"
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style><main><h1>{name}</h1>{text}{body}</main></html>\n"
    )


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:44rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}"
    "td,th{border:1px solid #8888;padding:.2rem .6rem;text-align:left}"
    "svg{max-width:100%;height:auto}svg text{font-size:12px;fill:currentColor}"
)


def _shown(name: str, value: float) -> str:
    return f"{value:.1%}" if name == "accuracy" else f"{value:.4g}"


def _curves(fitted: Fitted, lang: str) -> str:
    """Draw the losses by epoch; the lower axis is the epoch, the upper edge the largest loss."""
    history = fitted.training.history
    lines = [
        (Says("loss", "perda"), "#1a7f37", "", [record.loss for record in history]),
        (
            Says("validation", "validação"),
            "#cf222e",
            "5 4",
            [record.validation or 0.0 for record in history],
        ),
    ]
    top = max((max(values) for *_, values in lines if values), default=1.0) or 1.0
    drawn = []
    for k, (says, colour, dashes, values) in enumerate(lines):
        across = np.linspace(_EDGE, _WIDTH - 10, max(len(values), 2))
        points = " ".join(
            f"{x:.1f},{_HEIGHT - 25 - (_HEIGHT - 45) * v / top:.1f}"
            for x, v in zip(across, values, strict=False)
        )
        drawn.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dashes}" points="{points}"/>'
            f'<text x="{_WIDTH - 130}" y="{20 + 16 * k}" style="fill:{colour}">'
            f"{'– –' if dashes else '——'} {escape(says.into(lang))}</text>"
        )
    last = Says("epoch {0}", "época {0}").fill(len(history)).into(lang)
    drawn.append(f'<text x="2" y="24">{top:.3g}</text>')
    drawn.append(f'<text x="{_WIDTH - 80}" y="{_HEIGHT - 6}">{escape(last)}</text>')
    return _svg(drawn, Says("losses by epoch", "perdas por época").into(lang))


def _scatter(fitted: Fitted, lang: str) -> str:
    """Draw predictions over truths; on the line they agree."""
    target = fitted.model.target
    truth, found = (
        target.centre + target.scale * values[:, 0] for values in (fitted.truth, fitted.found)
    )
    low, high = float(min(truth.min(), found.min())), float(max(truth.max(), found.max()))
    size = _HEIGHT - 45
    scale = size / ((high - low) or 1.0)
    place = lambda v: _EDGE + (v - low) * scale
    height = lambda v: _HEIGHT - 25 - (v - low) * scale
    few = np.linspace(0, len(truth) - 1, min(len(truth), 1000)).astype(int)
    dots = [
        f'<circle cx="{place(truth[k]):.1f}" cy="{height(found[k]):.1f}" r="2.5" '
        'fill="#0969da" fill-opacity="0.6"/>'
        for k in few
    ]
    line = (
        f'<line x1="{place(low)}" y1="{height(low)}" x2="{place(high)}" y2="{height(high)}" '
        'stroke="currentColor" stroke-opacity="0.5"/>'
    )
    across = Says("truth →", "verdade →").into(lang)
    up = Says("predicted ↑", "previsto ↑").into(lang)
    words = [
        f'<text x="{_EDGE + size + 8}" y="{_HEIGHT - 25}">{across} {high:.4g}</text>',
        f'<text x="2" y="14">{up} {high:.4g}</text>',
    ]
    return _svg(
        [line, *dots, *words],
        Says("predictions over truths", "previsões sobre verdades").into(lang),
    )


def _confusion(fitted: Fitted, lang: str) -> str:
    """Write how often each class was taken for each."""
    names = fitted.model.target.classes
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (fitted.truth, fitted.found.argmax(axis=1)), 1)
    corner = Says("truth ↓ predicted →", "verdade ↓ previsto →").into(lang)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{n}</td>' for n in row)}</tr>"
        for name, row in zip(names, counts, strict=True)
    )
    return f"<table><tr><th>{corner}</th>{head}</tr>{rows}</table>"


def _svg(parts: Sequence[str], name: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'aria-label="{escape(name)}">{"".join(parts)}</svg>'
    )
