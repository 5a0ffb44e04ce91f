"""Corrente differentiates ordinary NumPy programs by backpropagation and shows every wire.

The front door: each name is loaded from its room when it is first used, so that importing the
package costs little more than importing NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corrente import nn, optimisers, special
    from corrente.batching import vmap
    from corrente.checker import check_grads
    from corrente.compiler import jit, memory_report
    from corrente.convention import ties
    from corrente.custom import checkpoint, gate
    from corrente.derivatives import grad, hvp, jvp, linearize, value_and_grad, vjp
    from corrente.doctor import Diagnosis, IllnessWarning, diagnose, monitor
    from corrente.errors import CorrenteError, TieWarning, UnreachedWarning
    from corrente.gates.choices import stop_gradient
    from corrente.homework import Verdict, check_backward
    from corrente.jacobians import elementwise_grad, hessian, jacfwd, jacobian, jacrev
    from corrente.learn import NetworkClassifier, NetworkRegressor
    from corrente.memory import TooLittleMemory
    from corrente.minimising import minimize
    from corrente.program import Program, trace
    from corrente.training import DivergedWarning, find_rate, shares, train

__version__ = "0.1.0"

__all__ = [
    "CorrenteError",
    "Diagnosis",
    "DivergedWarning",
    "IllnessWarning",
    "NetworkClassifier",
    "NetworkRegressor",
    "Program",
    "TieWarning",
    "TooLittleMemory",
    "UnreachedWarning",
    "Verdict",
    "check_backward",
    "check_grads",
    "checkpoint",
    "diagnose",
    "elementwise_grad",
    "find_rate",
    "gate",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "linearize",
    "memory_report",
    "minimize",
    "monitor",
    "nn",
    "optimisers",
    "shares",
    "special",
    "stop_gradient",
    "ties",
    "trace",
    "train",
    "value_and_grad",
    "vjp",
    "vmap",
]

_ROOMS = {
    "batching": "vmap",
    "checker": "check_grads",
    "compiler": "jit memory_report",
    "convention": "ties",
    "custom": "checkpoint gate",
    "derivatives": "grad hvp jvp linearize value_and_grad vjp",
    "doctor": "Diagnosis IllnessWarning diagnose monitor",
    "errors": "CorrenteError TieWarning UnreachedWarning",
    "gates.choices": "stop_gradient",
    "homework": "Verdict check_backward",
    "jacobians": "elementwise_grad hessian jacfwd jacobian jacrev",
    "learn": "NetworkClassifier NetworkRegressor",
    "memory": "TooLittleMemory",
    "minimising": "minimize",
    "program": "Program trace",
    "training": "DivergedWarning find_rate shares train",
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in ("nn", "optimisers", "special"):
        return import_module(f"corrente.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'corrente' has no attribute {name!r}")
    found = getattr(import_module(f"corrente.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
