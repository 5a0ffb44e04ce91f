"""Steps that hold a circuit of their own: a rolled loop, and a group of steps run as one.

The backward pass of a loop is a loop: the body runs again from the state it began with, and a
sweep takes the gradients back through it. Forward mode is a loop in the same way.
"""

from corrente.blocks.loops import Layout, sketching
from corrente.blocks.records import fused, loop, looped, together

__all__ = ["Layout", "fused", "loop", "looped", "sketching", "together"]
