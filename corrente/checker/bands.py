"""How far two numbers for one derivative are apart, and what to think of it.

Relative error is |a − n| / max(|a|, |n|), with a the analytic and n the numeric number. What to
think of it (after CS231n, "Gradient checks"):

    1e-2 and more    wrong
    1e-4 to 1e-2     suspect
    1e-7 to 1e-4     fine where there are kinks, too much where there are none
    below 1e-7       good
"""

from __future__ import annotations

import math

from corrente.words import Says

BANDS = (
    (1e-7, Says("good", "bom")),
    (
        1e-4,
        Says("fine with kinks, too much without", "aceitável com quinas, demais sem elas"),
    ),
    (1e-2, Says("suspect", "suspeito")),
    (math.inf, Says("wrong", "errado")),
)


def relative_error(analytic: float, numeric: float) -> float:
    """Return |a − n| / max(|a|, |n|), and 0 where both are 0.

    >>> relative_error(2.0, 1.0)
    0.5
    """
    largest = max(abs(analytic), abs(numeric))
    return abs(analytic - numeric) / largest if largest else 0.0


def band(error: float) -> Says:
    """Say what to think of a relative error.

    >>> band(1e-9).en, band(0.5).pt
    ('good', 'errado')
    """
    return next((says for bound, says in BANDS if error < bound), BANDS[-1][1])
