"""A diagnosis as one web page that needs nothing else: findings, and plots as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from corrente.doctor.findings import Finding, Plot
from corrente.figures import clip, number
from corrente.words import Says

WIDTH, HEIGHT, EDGE = 620, 240, 60
LETTER = 6.5
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
section { border-left: .3rem solid #c33; padding-left: 1rem; margin: 2rem 0; }
code { font: 14px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
svg { width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg .s0 { stroke: #c33; } svg .s1 { stroke: #186a3b; } svg .s2 { stroke: #36c; }
svg .s3 { stroke: #86c; }
svg rect.bar { fill: #36c; } svg .axis { stroke: currentColor; }
"""
_WORDS = {
    "try": Says("What to try", "O que tentar"),
    "measured": Says("Measured", "Medido"),
    "before": Says("before", "antes"),
    "after": Says("after", "depois"),
    "title": Says("Diagnosis of {0}", "Diagnóstico de {0}"),
    "budget": Says("The gradient's budget", "O orçamento do gradiente"),
    "parameter": Says("parameter", "parâmetro"),
    "decades": Says("decades, from the loss to it", "décadas, da perda até ele"),
    "worst": Says("gates that do most", "portas que mais fazem"),
    "rows": Says("What the rows contribute", "Quanto as linhas contribuem"),
    "rates": Says("The learning rate", "A taxa de aprendizado"),
}
_WORST = 3
"""Gates of the budget that are named."""


def draw(diagnosis: Any, lang: str = "en", whole: bool = True) -> str:
    """Print a diagnosis as HTML: a page of its own, or what stands in a notebook's cell."""
    word = {key: said.into(lang) for key, said in _WORDS.items()}
    title = escape(word["title"].format(diagnosis.name))
    parts = [f"<h1>{title}</h1>", f"<p>{escape(diagnosis.says.into(lang))}</p>"]
    parts += [_section(finding, lang, word) for finding in diagnosis.findings]
    parts += [_budget(diagnosis, word)]
    for name, known in (("rows", diagnosis.contributions), ("rates", diagnosis.rates)):
        if known is not None:
            parts.append(f"<h2>{word[name]}</h2>\n<p>{escape(known.says.into(lang))}</p>")
            parts.append(plot(known.plot, lang))
    parts += [f"<p>{escape(note.into(lang))}</p>" for note in diagnosis.notes]
    body = "\n".join(parts)
    if not whole:
        return body
    return (
        f'<!DOCTYPE html>\n<html lang="{"pt-BR" if lang == "pt" else "en"}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def _section(finding: Finding, lang: str, word: dict[str, str]) -> str:
    where = (
        "" if finding.where is None else f"<p><code>{escape(finding.where.into(lang))}</code></p>"
    )
    rows = "".join(
        f"<tr><td>{escape(effect.what.into(lang))}</td><td>{number(effect.before, 3)}</td>"
        f"<td>{number(effect.after, 3)}</td></tr>"
        for effect in finding.effects
    )
    head = f"<tr><th>{word['measured']}</th><th>{word['before']}</th><th>{word['after']}</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else ""
    plots = "\n".join(plot(each, lang) for each in finding.plots)
    return (
        f"<section>\n<h2>{finding.code}</h2>\n<p>{escape(finding.says.into(lang))}</p>\n{where}\n"
        f"<p><strong>{word['try']}:</strong> {escape(finding.advice.into(lang))}</p>\n"
        f"{table}\n{plots}\n</section>"
    )


def _budget(diagnosis: Any, word: dict[str, str]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each.parameter)}</code></td><td>{each.decades:+.2f}</td>"
        f"<td>{escape(_worst(each.gates))}</td></tr>"
        for each in diagnosis.budget
    )
    names = ("parameter", "decades", "worst")
    head = "<tr>" + "".join(f"<th>{word[name]}</th>" for name in names) + "</tr>"
    return f"<h2>{word['budget']}</h2>\n<table>{head}{rows}</table>" if rows else ""


def _worst(gates: Sequence[tuple[str, float]]) -> str:
    most = sorted((gate for gate in gates if gate[1]), key=lambda gate: -abs(gate[1]))
    return ", ".join(f"{name} {size:+.2f}" for name, size in most[:_WORST])


# --- plots ----------------------------------------------------------------------------------------


def plot(figure: Plot, lang: str = "en") -> str:
    """Draw a plot as SVG; curves differ by dashes as well as by colour."""
    points = [point for _, series in figure.series for point in series]
    # of curves each axis by itself: a loss below nought is no reason to crowd the rates
    logs = (
        figure.log and all(x > 0 for x, _ in points),
        figure.log and all(y > 0 for _, y in points),
    )
    title = escape(figure.title.into(lang))
    if not points:
        return ""
    inner = _bars(figure, logs[1]) if figure.bars else _curves(figure, logs, lang)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f'<text x="{EDGE}" y="14">{title}</text>{inner}</svg>'
    )


def _span(values: Sequence[float], log: bool, zero: bool = False) -> tuple[float, float]:
    seen = [math.log10(value) if log else value for value in values]
    low, high = min(seen), max(seen)
    if zero:
        low, high = (low - 0.3, high) if log else (min(low, 0.0), max(high, 0.0))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _place(value: float, span: tuple[float, float], log: bool, start: float, end: float) -> float:
    part = ((math.log10(value) if log else value) - span[0]) / (span[1] - span[0])
    return start + part * (end - start)


def _axis(xs: tuple[float, float] | None, ys: tuple[float, float], logs: tuple[bool, bool]) -> str:
    bottom, right = HEIGHT - EDGE, WIDTH - 10
    lines = f'<path class="axis" fill="none" d="M{EDGE} 24V{bottom}H{right}"/>'
    labels = []
    for value, y in ((ys[0], bottom), (ys[1], 32)):
        shown = number(10.0**value if logs[1] else value, 2)
        labels.append(f'<text x="{EDGE - 4}" y="{y}" text-anchor="end">{shown}</text>')
    for value, x, anchor in ((xs[0], EDGE, "middle"), (xs[1], right, "end")) if xs else ():
        shown = number(10.0**value if logs[0] else value, 2)
        labels.append(f'<text x="{x}" y="{bottom + 14}" text-anchor="{anchor}">{shown}</text>')
    return lines + "".join(labels)


def _curves(figure: Plot, logs: tuple[bool, bool], lang: str) -> str:
    points = [point for _, series in figure.series for point in series]
    xs, ys = _span([x for x, _ in points], logs[0]), _span([y for _, y in points], logs[1])
    parts = [_axis(xs, ys, logs)]
    for k, (name, series) in enumerate(figure.series):
        places = [
            f"{_place(x, xs, logs[0], EDGE, WIDTH - 10):.1f},"
            f"{_place(y, ys, logs[1], HEIGHT - EDGE, 28):.1f}"
            for x, y in sorted(series)
        ]
        dash = _DASHES[k % len(_DASHES)]
        style = f'class="s{k % 4}" stroke-width="2" fill="none" stroke-dasharray="{dash}"'
        if len(places) == 1:
            x, y = places[0].split(",")
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="5" class="s{k % 4}" stroke-width="2" fill="none"/>'
            )
        elif places:
            parts.append(f'<polyline points="{" ".join(places)}" {style}/>')
        left = EDGE + 10 + k * 190
        parts.append(f'<path d="M{left} {HEIGHT - 10}h24" {style}/>')
        label = escape(clip(name.into(lang), 28))
        parts.append(f'<text x="{left + 30}" y="{HEIGHT - 6}">{label}</text>')
    return "".join(parts)


def _bars(figure: Plot, log: bool) -> str:
    series = figure.series[0][1]
    ys = _span([y for _, y in series], log, zero=True)
    width = (WIDTH - 10 - EDGE) / len(series)
    base = HEIGHT - EDGE if log else _place(0.0, ys, False, HEIGHT - EDGE, 28)
    parts = [_axis(None if figure.names else (0, len(series)), ys, (False, log))]
    for k, (_, y) in enumerate(series):
        top = _place(y, ys, log, HEIGHT - EDGE, 28)
        left = EDGE + k * width
        name = figure.names[k] if figure.names else str(k)
        parts.append(
            f'<rect class="bar" x="{left + 1:.1f}" y="{min(top, base):.1f}" '
            f'width="{max(width - 2, 1):.1f}" height="{abs(base - top):.1f}">'
            f"<title>{escape(name)}: {number(y, 3)}</title></rect>"
        )
        if width > min(24, LETTER * len(name) + 2):
            short = escape(clip(name, int(width / LETTER)))
            parts.append(f'<text x="{left + 2:.1f}" y="{HEIGHT - 30}">{short}</text>')
    return "".join(parts)
