"""Many examples at once: a function traced on one of them is run on whole batches.

Every step is carried out in plain NumPy, by the kind of its gate and never by its name; so the
batch may itself be traced, and batching, differentiating and tracing nest in any order.
"""

from corrente.batching.examples import vmap
from corrente.batching.steps import batch

__all__ = ["batch", "vmap"]
