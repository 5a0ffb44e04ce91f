"""The shards of data that lie on many machines: which one makes the gradient, or its NaN."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from corrente.doctor.findings import Effect, Finding, Plot
from corrente.figures import number
from corrente.training.contributions import Share
from corrente.words import Says, plain

HALF = 0.5
"""Part of the norm that one shard must make."""
FEWEST = 3
"""Shards from which on one can be louder than the others."""
FAR = 10.0
"""How many times as long as the median of the others', for its rows, its gradient must be."""


def check_shards(shares: Sequence[Share]) -> Iterator[Finding]:
    """Find the shards that make NaN, or the one that makes most of the gradient's norm."""
    for share in shares:
        if not share.finite:
            yield _broken(share, shares)
    fine = [share for share in shares if share.finite and share.rows]
    if len(fine) < FEWEST:
        return
    loudest = max(fine, key=lambda share: share.norm)
    others = [share.norm / share.rows for share in fine if share is not loudest]
    if loudest.fraction >= HALF and loudest.norm / loudest.rows >= FAR * np.median(others):
        yield _loud(loudest, fine)


def _broken(share: Share, shares: Sequence[Share]) -> Finding:
    ill = [each.shard for each in shares if not each.finite]
    only = len(ill) == 1
    row = share.first_bad_row
    endless = math.isinf(share.loss)
    says = Says(
        "{5}{0} from shard {1}{2}; rows found ill in it: {3} of {4}.",
        "{5}{0} do fragmento {1}{2}; linhas doentes achadas nele: {3} de {4}.",
    ).fill(
        Says(" only", " só") if only else Says("", ""),
        share.shard,
        Says("", "") if row is None else Says(", row {0}", ", linha {0}").fill(row),
        share.bad_rows,
        share.rows,
        Says("infinity", "infinito") if endless else plain("NaN"),
    )
    advice = (
        Says(
            "no row is at fault by itself: the sum overflows. Scale the data or the loss down.",
            "nenhuma linha tem culpa sozinha: a soma transborda. Reduza a escala dos dados ou da "
            "perda.",
        )
        if row is None
        else Says(
            "look at the first one: co.diagnose(loss, params, X[{0}:{1}], …) names the step that "
            "makes it; mend or leave out those rows.",
            "examine a primeira: co.diagnose(perda, parâmetros, X[{0}:{1}], …) nomeia o passo "
            "que o produz; conserte ou exclua essas linhas.",
        ).fill(row, row + 1)
    )
    left = [each for each in shares if each.finite]
    effects = ()
    if left:
        rows = sum(each.rows for each in left)
        mean = sum(each.rows * each.loss for each in left) / max(rows, 1)
        what = Says("loss of the shards without it", "perda dos fragmentos sem ele")
        effects = (Effect(what, share.loss, mean),)
    code = "inf" if endless else "nan"
    label = f"shard {share.shard}"
    return Finding(code, label, None, share.bad_rows, says, advice, effects, _plots(left))


def _loud(share: Share, fine: Sequence[Share]) -> Finding:
    rows = sum(each.rows for each in fine)
    others = [each for each in fine if each is not share]
    says = Says(
        "shard {0} makes {1:.0%} of the norm, with {2:.1%} of the rows ({3} to {4}); the median of "
        "the others makes {5:.1%}.",
        "o fragmento {0} faz {1:.0%} da norma, com {2:.1%} das linhas ({3} a {4}); a mediana dos "
        "outros faz {5:.1%}.",
    ).fill(
        share.shard,
        share.fraction,
        share.rows / rows,
        share.start,
        share.start + share.rows - 1,
        float(np.median([each.fraction for each in others])),
    )
    advice = Says(
        "look at its rows: co.diagnose(loss, params, X[{0}:{1}], …) names the loud ones. Until "
        "they are mended, clip each shard's gradient, or shuffle the data across shards.",
        "examine as suas linhas: co.diagnose(perda, parâmetros, X[{0}:{1}], …) nomeia as que "
        "pesam. Até consertá-las, pode o gradiente de cada fragmento, ou embaralhe os dados entre "
        "fragmentos.",
    ).fill(share.start, share.start + share.rows)
    level = float(np.median([each.norm for each in others]))
    clipped = level / (level + sum(each.norm for each in others)) if level > 0 else 0.0
    effects = (
        Effect(
            Says("part of the norm, clipped to the median", "parte da norma, podado na mediana"),
            share.fraction,
            clipped,
        ),
        Effect(
            Says("sum of the norms, without it", "soma das normas, sem ele"),
            sum(each.norm for each in fine),
            sum(each.norm for each in others),
        ),
    )
    label = f"shard {share.shard}"
    return Finding("shard-share", label, None, share.fraction, says, advice, effects, _plots(fine))


def _plots(fine: Sequence[Share]) -> tuple[Plot, ...]:
    if not fine:
        return ()
    bars = tuple((float(k), each.fraction) for k, each in enumerate(fine))
    title = Says(
        "part of the gradient's norm, by shard", "parte da norma do gradiente, por fragmento"
    )
    names = tuple(number(each.shard) for each in fine)
    return (Plot(title, ((Says("shards", "fragmentos"), bars),), bars=True, names=names),)
