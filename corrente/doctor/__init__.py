"""Is the gradient healthy? Illnesses by name, each at its line, with a cure that was tried."""

from __future__ import annotations

from corrente.doctor.diagnosis import Diagnosis
from corrente.doctor.examination import CODES, diagnose
from corrente.doctor.findings import Effect, Finding, Plot
from corrente.doctor.monitoring import IllnessWarning, Monitor, Seen, monitor
from corrente.doctor.rates import Rates
from corrente.doctor.rows import Contributions

__all__ = [
    "CODES",
    "Contributions",
    "Diagnosis",
    "Effect",
    "Finding",
    "IllnessWarning",
    "Monitor",
    "Plot",
    "Rates",
    "Seen",
    "diagnose",
    "monitor",
]
