"""The coverage page: every public function of NumPy and of scipy.special, with its state.

A function without a state is an error, so that the page cannot be made without it.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy
import scipy.special

import corrente.special
from corrente.gates import specials
from corrente.gates.specials import refusals
from corrente.record import COMPOSED, REFUSED, TABLE
from corrente.tracer import functions
from corrente.words import Says, plain

specials.load()
assert refusals, "fills the table of refusals"

MODULES = {
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
    "scipy.special": scipy.special,
}
STATES = {
    "gate": Says("Gates", "Portas"),
    "composed": Says("Composed of gates", "Compostas de portas"),
    "nature": Says("No gradient by nature", "Sem gradiente por natureza"),
    "refused": Says("Refused by name", "Recusadas pelo nome"),
}
STEPS = Says(
    "an answer in whole numbers, places or yes and no: it moves in jumps, and has no slope",
    "uma resposta em números inteiros, posições ou sim e não: anda aos saltos, sem inclinação",
)
MADE = Says(
    "makes an array from sizes and constants; with `like=x` it can be written with traced values",
    "faz um array de tamanhos e constantes; com `like=x` pode receber valores traçados",
)
WHOLE = Says(
    "tables made from whole numbers: zeros, nodes and weights, coefficients, counts",
    "tabelas feitas de números inteiros: zeros, nós e pesos, coeficientes, contagens",
)
ASKS = Says("asks about shapes and types", "pergunta por formas e tipos")
OBJECTS = ("vectorize",)  # called by everybody like a function

# functions composed of gates whose answer does not move with what goes in
STILL = [
    "allclose",
    "around",
    "array_equal",
    "array_equiv",
    "common_type",
    "diag_indices_from",
    "digitize",
    "einsum_path",
    "flatnonzero",
    "isclose",
    "iscomplex",
    "isneginf",
    "isposinf",
    "isreal",
    "matrix_rank",
    "nanargmax",
    "nanargmin",
    "nonzero",
    "ravel_multi_index",
    "round",
    "tril_indices_from",
    "triu_indices_from",
    "unravel_index",
]
# functions that are refused, and would have no gradient if they were not
FLAT = [
    "busday_count",
    "busday_offset",
    "datetime_as_string",
    "is_busday",
    "isnat",
    "min_scalar_type",
    "packbits",
    "save",
    "savetxt",
    "savez",
    "savez_compressed",
    "unpackbits",
]
# functions that build arrays and pass on what they are built of
BUILT = ("array", "asanyarray", "asarray", "full", "full_like")
# whatever our own modules define is written with gates
OWN = ("corrente.special", "corrente.nn")
# functions of Python that call others without asking anybody
THROUGH = {"row_stack": "vstack"}

# what is not in the tables because no traced value can be given to it
NATURES: dict[Says, str] = {
    MADE: "bartlett blackman diag_indices fftfreq hamming hanning indices kaiser mask_indices "
    "rfftfreq tril_indices triu_indices",
    ASKS: "broadcast_shapes isdtype isfortran isscalar issubdtype iterable mintypecode "
    "promote_types typename",
    Says(
        "reads arrays from files, texts and memory",
        "lê arrays de arquivos, textos e memória",
    ): "from_dlpack frombuffer fromfile fromregex fromstring genfromtxt load loadtxt",
    Says("writes text", "escreve texto"): "base_repr binary_repr datetime_data "
    "format_float_positional format_float_scientific",
    Says("settings, help and tests", "ajustes, ajuda e testes"): "get_include get_printoptions "
    "getbufsize geterr geterrcall info printoptions set_printoptions setbufsize seterr "
    "seterrcall show_config show_runtime test",
    WHOLE: "bernoulli euler factorial2 factorialk stirling2 chebyc chebys chebyt chebyu hermite "
    "hermitenorm laguerre legendre sh_chebyt sh_chebyu sh_legendre",
}
OF_WHOLE_NUMBERS = re.compile(r"\w+_zeros|roots_\w+|\w+_roots")
OURS = Says(
    "under the same name at `corrente.special`: SciPy's own turns its arguments into plain arrays",
    "com o mesmo nome em `corrente.special`: a do SciPy torna os argumentos em arrays comuns",
)


class State(NamedTuple):
    """What a function is to a traced value, and why."""

    kind: str
    why: Says | None = None


def states() -> dict[str, dict[str, State]]:
    """Find the state of every public function; raise LookupError naming those without one."""
    found: dict[str, dict[str, State]] = {}
    missing = []
    for home, module in MODULES.items():
        found[home] = {}
        for name, function in public(module):
            state = state_of(home, name, function)
            if state is None:
                missing.append(f"{home}.{name}")
            else:
                found[home][name] = state
    if missing:
        raise LookupError(f"no state on the coverage page: {', '.join(missing)}")
    return found


def public(module: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Go through the public functions of a module; its classes are not functions."""
    for name in sorted(module.__all__):
        thing = getattr(module, name)
        if name in OBJECTS or (callable(thing) and not inspect.isclass(thing)):
            yield name, thing


def state_of(home: str, name: str, function: Callable[..., Any]) -> State | None:
    """Find the state of one function; two of them are a mistake in the tables."""
    function = getattr(np, THROUGH.get(name, ""), function)
    ours = getattr(corrente.special, name) if home == "scipy.special" else function
    found = [*recorded(name, ours), *listed(home, name)]
    if function in REFUSED:
        found.append(State("nature" if name in FLAT else "refused", REFUSED[function]))
    if len(found) > 1:
        raise LookupError(f"several states on the coverage page: {home}.{name}: {found}")
    if found and ours is not function and found[0].kind in ("gate", "composed"):
        return State(found[0].kind, OURS)
    return found[0] if found else None


def recorded(name: str, function: Callable[..., Any]) -> Iterator[State]:
    """Look a function up in the tables of the tracer."""
    if function in TABLE:
        yield State("gate") if TABLE[function].differentiable else State("nature", STEPS)
    elif name in STILL:
        yield State("nature", STEPS)
    elif function in COMPOSED or name in BUILT or getattr(function, "__module__", None) in OWN:
        yield State("composed")
    elif function in functions._CREATE or name.endswith("_like"):
        yield State("nature", MADE)
    elif function in functions._INSPECT:
        yield State("nature", ASKS)


def listed(home: str, name: str) -> Iterator[State]:
    """Look a function up among those that no traced value can be given to."""
    if home == "scipy.special" and OF_WHOLE_NUMBERS.fullmatch(name):
        yield State("nature", WHOLE)
    yield from (State("nature", why) for why, names in NATURES.items() if name in names.split())


# --- the page -----------------------------------------------------------------------------------

VERSIONS = "of NumPy {}, `numpy.linalg`, `numpy.fft` and `scipy.special` of SciPy\n{}, with"

INTRODUCTION = """# Coverage

<!-- Made by docs/coverage_page.py from the tables: change the records, not this page. -->

Every public function {versions} what it is to a traced value. A **gate** has a record of its own
([Gates](gates.md)); a function **composed of gates** is written with those. Some have
**no gradient by nature**, and some are **refused by name**, with the reason. The share counts
the functions with a meaningful gradient, which are all but those without one by nature. This page
cannot be made while a function is missing from it.

*Todas as funções públicas do NumPy, de `numpy.linalg`, de `numpy.fft` e de `scipy.special`, e o que
são para um valor traçado: uma **porta** com registro próprio; uma função
**composta de portas**; uma função **sem gradiente por natureza**; ou uma função **recusada pelo
nome**, com a razão. A parcela conta as funções que têm um gradiente com sentido.*

| | functions<br>*funções* | gates<br>*portas* | composed<br>*compostas* | \
no gradient<br>*sem gradiente* | refused<br>*recusadas* | \
share with a gradient<br>*parcela com gradiente* |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """Print the coverage page."""
    found = states()
    rows = [counted(f"`{home}`", list(group.values())) for home, group in found.items()]
    everything = [state for group in found.values() for state in group.values()]
    parts = [
        INTRODUCTION.format(versions=versions())
        + "\n".join([*rows, counted("**all**<br>*todas*", everything)])
        + "\n"
    ]
    for home, group in found.items():
        parts.append(f"## {home}\n")
        parts.extend(section(kind, group) for kind in STATES)
    return "\n".join(part for part in parts if part)


def counted(title: str, group: list[State]) -> str:
    """Print one row of the table: how many functions are in each state."""
    numbers = {kind: sum(state.kind == kind for state in group) for kind in STATES}
    have = numbers["gate"] + numbers["composed"]
    share = f"{have / (have + numbers['refused']):.0%}"
    return f"| {title} | {len(group)} | " + " | ".join(map(str, numbers.values())) + f" | {share} |"


def section(kind: str, group: dict[str, State]) -> str:
    """Print the functions of one module in one state, by reason where there is one."""
    reasons: dict[Says, list[str]] = defaultdict(list)
    for name, state in group.items():
        if state.kind == kind:
            reasons[state.why or plain("")].append(f"`{name}`")
    if not reasons:
        return ""
    title = STATES[kind]
    number = sum(map(len, reasons.values()))
    lines = [f"**{title.en}** · *{title.pt}* ({number})\n"]
    for why, names in reasons.items():
        listing = ", ".join(names)
        lines.append(f"* {why.en}<br>*{why.pt}*<br>{listing}" if why.en else f"{listing}.")
    return "\n".join(lines) + "\n"


def versions() -> str:
    """Name the libraries of a page, as its introduction does."""
    return VERSIONS.format(np.__version__, scipy.__version__)


def comparable(text: str) -> bool:
    """Tell whether a text is not the coverage page of other libraries than those installed."""
    return not text.startswith("# Coverage") or versions() in text
