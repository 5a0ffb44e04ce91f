"""Is the gradient right? Derivatives against differences of the values, and the gate to blame."""

from corrente.checker.bands import BANDS, band, relative_error
from corrente.checker.checking import Checked, check_grads
from corrente.checker.paths import Kink

__all__ = ["BANDS", "Checked", "Kink", "band", "check_grads", "relative_error"]
