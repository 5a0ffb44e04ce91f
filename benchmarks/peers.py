"""The ways to differentiate one program: ours, and those of the peers that are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

import corrente as co
from benchmarks.contestants import Call, Contestant, Program, absent


def gradients(program: Program, **left_out: str) -> Iterator[Contestant]:
    """Go through everybody's value and gradients; `left_out` maps a name to its reason."""
    yield Contestant("corrente eager", lambda: ours(program, compiled=False))
    yield Contestant("corrente", lambda: ours(program, compiled=True))
    yield from invited(left_out, "autograd", "autograd", lambda: autograd(program))
    yield from invited(left_out, "jax", "jax", lambda: jax_gradient(program))
    if program.torch:
        yield from invited(left_out, "torch", "torch", lambda: torch_gradient(program))
        build = lambda: torch_gradient(program, compiled=True)
        yield from invited(left_out, "torch compiled", "torch", build, heavy=True)


def objectives(program: Program) -> Iterator[Contestant]:
    """Go through the value alone: the measure of a gradient."""
    function = program.of(np)
    yield Contestant("numpy", lambda: partial(function, *program.given))
    yield Contestant("corrente", lambda: partial(co.jit(function), *program.given))
    yield Contestant("jax", lambda: jax_objective(program), "jax")
    if program.torch:
        yield Contestant("torch", lambda: torch_objective(program), "torch")


def products(program: Program, tangents: tuple[Any, ...]) -> Iterator[Contestant]:
    """Go through Hessian-vector products in the differentiated arguments, the first ones."""
    yield Contestant("corrente eager", lambda: our_product(program, tangents, compiled=False))
    yield Contestant("corrente", lambda: our_product(program, tangents, compiled=True))
    yield Contestant("autograd", lambda: autograd_product(program, tangents), "autograd")
    yield Contestant("jax", lambda: jax_product(program, tangents), "jax")
    if program.torch:
        yield Contestant("torch", lambda: torch_product(program, tangents), "torch")


def invited(
    left_out: dict[str, str], who: str, needs: str, build: Callable[[], Call], heavy: bool = False
) -> Iterator[Contestant]:
    reason = left_out.get(who.replace(" ", "_"))
    yield absent(who, needs, reason) if reason else Contestant(who, build, needs, heavy=heavy)


def ours(program: Program, compiled: bool) -> Call:
    """Return our own value and gradients."""
    run = co.value_and_grad(program.of(np), program.argnums)
    return partial(co.jit(run) if compiled else run, *program.given)


def our_product(program: Program, tangents: tuple[Any, ...], compiled: bool) -> Call:
    inner, count = program.of(np), len(tangents)
    rest = program.given[count:]

    def product(primals: Any, tangents: Any) -> Any:
        return co.hvp(lambda *moving: inner(*moving, *rest), primals, tangents)

    return partial(co.jit(product) if compiled else product, program.given[:count], tangents)


# --- HIPS autograd ------------------------------------------------------------------------------


def autograd(program: Program) -> Call:
    """Return autograd's value and gradients."""
    function = program.of(import_module("autograd.numpy"))
    return partial(
        import_module("autograd").value_and_grad(function, program.argnums), *program.given
    )


def autograd_product(program: Program, tangents: tuple[Any, ...]) -> Call:
    """Differentiate the slope along the tangents: its own product takes one array only."""
    module, grad = import_module("autograd.numpy"), import_module("autograd").grad
    function, count = program.of(module), len(tangents)
    rest = program.given[count:]
    slopes = grad(lambda moving: function(*moving, *rest))

    def along(moving: Any) -> Any:
        pairs = zip(slopes(moving), tangents, strict=True)
        return sum(module.sum(slope * tangent) for slope, tangent in pairs)

    return partial(grad(along), program.given[:count])


# --- JAX ----------------------------------------------------------------------------------------


def load_jax() -> Any:
    """Return JAX with float64 allowed, as in NumPy."""
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def jax_function(program: Program) -> Callable[..., Any]:
    return (program.jax or program.of)(import_module("jax.numpy"))


def jax_given(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put arrays where JAX computes; floats stay floats, as a user would give them."""
    put = import_module("jax.numpy").asarray
    return tuple(put(value) if isinstance(value, np.ndarray) else value for value in values)


def jax_gradient(program: Program) -> Call:
    """Return JAX's compiled value and gradients, waited for."""
    jax = load_jax()
    compiled = jax.jit(jax.value_and_grad(jax_function(program), program.argnums))

    def run(*given: Any) -> Any:
        value, slopes = compiled(*given)
        value.block_until_ready()
        return value, slopes

    return partial(run, *jax_given(program.given))


def jax_objective(program: Program) -> Call:
    compiled = load_jax().jit(jax_function(program))
    return partial(lambda *given: compiled(*given).block_until_ready(), *jax_given(program.given))


def jax_product(program: Program, tangents: tuple[Any, ...]) -> Call:
    jax, count = load_jax(), len(tangents)
    function = jax_function(program)
    rest = jax_given(program.given[count:])

    @jax.jit
    def product(primals: Any, tangents: Any) -> Any:
        slope = jax.grad(lambda *moving: function(*moving, *rest), tuple(range(count)))
        return jax.jvp(slope, primals, tangents)[1]

    def run(primals: Any, tangents: Any) -> Any:
        out = product(primals, tangents)
        out[0].block_until_ready()
        return out

    return partial(run, jax_given(program.given[:count]), jax_given(tangents))


# --- PyTorch ------------------------------------------------------------------------------------


def torch_given(program: Program) -> list[Any]:
    torch = import_module("torch")
    given = [torch.as_tensor(value) for value in program.given]
    for place in program.argnums:
        given[place] = given[place].clone().requires_grad_()
    return given


def torch_gradient(program: Program, compiled: bool = False) -> Call:
    """Return PyTorch's value and gradients, eager or through `torch.compile`."""
    torch = import_module("torch")
    given = torch_given(program)
    leaves = [given[place] for place in program.argnums]
    function = program.torch
    assert function is not None
    if compiled:
        function = torch.compile(function)

    def run(*given: Any) -> Any:
        value = function(*given)
        return value.detach(), torch.autograd.grad(value, leaves)

    return partial(run, *given)


def torch_objective(program: Program) -> Call:
    torch = import_module("torch")
    given = torch_given(program)
    assert program.torch is not None
    return partial(torch.no_grad()(program.torch), *given)


def torch_product(program: Program, tangents: tuple[Any, ...]) -> Call:
    torch = import_module("torch")
    given = torch_given(program)
    leaves = [given[place] for place in program.argnums]
    directions = [torch.as_tensor(value) for value in tangents]
    function = program.torch
    assert function is not None

    def run(*given: Any) -> Any:
        slopes = torch.autograd.grad(function(*given), leaves, create_graph=True)
        return torch.autograd.grad(slopes, leaves, directions)

    return partial(run, *given)
