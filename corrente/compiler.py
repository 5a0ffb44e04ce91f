"""Compilation: a function's circuit, traced once for each kind of arguments, as machine code."""

from __future__ import annotations

import ast
import gc
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from corrente import native
from corrente.errors import BadArgument, BadValue, NotSupported, PathWarning
from corrente.generators import is_generator, turns
from corrente.memory import Report, TooLittleMemory, as_text, parse
from corrente.places import Where, locate
from corrente.purity import Photographer, Surroundings, surroundings
from corrente.recording import function_name
from corrente.strictness import Unlike
from corrente.tracer import Traced
from corrente.translation import Budget, Program, ScalarProgram, take, translate, write
from corrente.trees import Tree, take_apart
from corrente.words import Says, plain

MOST_PATHS = 24
"""Paths compiled for one kind of arguments, before the function runs as plain Python."""
_VARYING = (np.ndarray, np.generic, float, complex)
_FIXED = (int, str, bytes, type(None), slice, range, type(Ellipsis))


def jit(f: Callable[..., Any], memory: str | int | None = None) -> Callable[..., Any]:
    """Return `f` compiled: its circuit becomes machine code, one for each kind of arguments.

    The first call with arguments of new shapes, dtypes or strides traces `f` and compiles; later
    ones run the machine code. An `if`, `while` or `int()` on a traced value becomes a guard: a
    call that takes another path traces and compiles that one too. `None`, strings, booleans and
    Python integers are part of what is compiled; floats and arrays flow in. Arrays that `f`
    closes over are read where they lie at every call. From an `np.random.Generator` each call draws
    anew, what the plain function would draw.

    `memory`, as "200MB" or a number of bytes, is a budget for what the program keeps to itself
    between its arguments and its results: values that do not fit are made again when they are
    read, by a plan that `memory_report` tells of. Raises TooLittleMemory, with the least that is
    possible and the line that needs it, where no plan fits.

    Raises Impure, with the line, if `f` draws from `np.random` or changes a global: pass an
    `np.random.Generator` instead. Floating-point warnings of NumPy are not given.

    >>> import numpy as np, corrente as co
    >>> f = co.jit(co.value_and_grad(lambda x: np.sum(x * x)))
    >>> f(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    return Compiled(f, None if memory is None else parse(memory)).function


def memory_report(f: Callable[..., Any]) -> Report:
    """Tell what memory a compiled function takes: what it keeps, what it makes again, and why.

    The report is that of the program compiled last; `print` shows it, `.render("pt")` in
    Portuguese. Raises BadArgument if `f` was not made by `jit`, BadValue if it was not called yet.

    >>> import numpy as np, corrente as co
    >>> f = co.jit(co.grad(lambda x: np.sum(np.sin(x) @ x)), memory="1MB")
    >>> f(np.ones((40, 40))).shape
    (40, 40)
    >>> memory_report(f).peak <= 1_000_000
    True
    """
    owner = getattr(f, "__self__", None)
    if not isinstance(owner, Compiled):
        raise BadArgument(
            Says(
                "{0} is no compiled function: it has no report.",
                "{0} não é uma função compilada: não tem relatório.",
            ).fill(function_name(f)),
            Says("give what co.jit returned.", "passe o que co.jit devolveu."),
        )
    if owner.report is None:
        raise BadValue(
            Says(
                "{0} has no program yet: it is compiled when it is called.",
                "{0} ainda não tem programa: é compilada quando é chamada.",
            ).fill(owner.__name__),
            Says("call it once before.", "chame-a uma vez antes."),
        )
    return owner.report


class Compiled:
    """A function's programs by kind of arguments; `function` is the door that users call."""

    def __init__(self, f: Callable[..., Any], budget: int | None = None) -> None:
        self.__wrapped__ = f
        self._budget = budget
        self._warned = False
        self.report: Report | None = None
        self.__name__ = function_name(f)
        self._programs: dict[Any, list[Program | ScalarProgram]] = {}
        self._plain: set[Any] = set()
        self._around: Surroundings | None = None
        self._photographer = Photographer()
        self._door = native.Door(self, self.__name__, _doc(f), getattr(f, "__module__", None))
        self.function = self._door.function

    def __reduce__(self) -> Any:
        return Compiled, (self.__wrapped__, self._budget)

    def __getattr__(self, name: str) -> Any:
        # a pickled built-in function is found again by its name
        if name == self.__dict__.get("__name__"):
            return self.function
        raise AttributeError(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take the slow door: look for a program that fits, or make one."""
        given = take_apart((args, dict(sorted(kwargs.items()))))
        if any(type(leaf) is Traced for leaf in given.leaves):
            return self.__wrapped__(*args, **kwargs)
        if any(map(is_generator, given.leaves)):
            with turns(given.leaves):  # traced or run plainly, too, a call draws in one go
                return self._found(given, args, kwargs)
        return self._found(given, args, kwargs)

    def _found(self, given: Tree, args: Any, kwargs: Any) -> Any:
        """Run the program that fits, or one made for these arguments."""
        key = self._key(given)
        if key is None or key in self._plain:
            self._warn_of_memory()
            return self.__wrapped__(*args, **kwargs)
        for program in reversed(self._programs.get(key, ())):
            result = program.call(given.leaves)
            if result is not NotImplemented:
                return result
        return self._further(key, args, kwargs)

    def _key(self, given: Tree) -> Any:
        """Return what a program depends on; None where something cannot be part of one."""
        kinds: list[Any] = []
        drawn_from: dict[int, int] = {}
        for leaf in given.leaves:
            if isinstance(leaf, np.ndarray) and type(leaf) not in (np.ndarray, np.memmap):
                return None  # masked arrays, matrices: they have a meaning of their own
            if isinstance(leaf, _VARYING):
                kinds.append(_kind(leaf))
            elif isinstance(leaf, _FIXED):
                kinds.append((type(leaf), repr(leaf)))
            elif is_generator(leaf):
                bit = leaf.bit_generator  # two generators may share one
                kinds.append((type(bit), drawn_from.setdefault(id(bit), len(drawn_from))))
            else:
                return None
        if self._around is None:
            self._around = surroundings(self.__wrapped__)
        return str(given.structure), tuple(kinds), self._photographer.photograph(self._around)

    def _further(self, key: Any, args: Any, kwargs: Any) -> Any:
        """Trace the path that these arguments take, compile it, and run it."""
        f = self.__wrapped__
        if len(self._programs.get(key, ())) >= MOST_PATHS:
            self._plain.add(key)
            self._warn(self._programs[key])
            return f(*args, **kwargs)
        program, always = self._attempted(args, kwargs)
        given = take_apart((args, dict(sorted(kwargs.items()))))
        key = self._key(given)  # by what is known now of the arrays around
        if program is None:
            if always:
                self._plain.add(key)
            self._warn_of_memory()
            return f(*args, **kwargs)
        programs = self._programs.setdefault(key, [])
        known = next((one for one in programs if one.path == program.path), None)
        if known is not None:
            result = known.call(given.leaves)  # another thread may have made it meanwhile
            if result is NotImplemented:
                result = f(*args, **kwargs)  # raises where Python itself refuses this arithmetic
                self._plain.add(key)  # no program of this path takes these arguments
            return result
        programs.append(program)
        self.report = program.report
        if isinstance(program, Program) and program.fast:
            program.native.lead_to("fast", self._door.leads_to)
            self._door.leads_to = program.native.address("fast")
        result = program.call(given.leaves)
        return f(*args, **kwargs) if result is NotImplemented else result

    def _attempted(self, args: Any, kwargs: Any) -> tuple[Program | ScalarProgram | None, bool]:
        """Translate if it can be; without a program, tell whether that will always be so."""
        try:
            with _no_collecting(), np.errstate(all="ignore"):
                return self._translated(args, kwargs), True
        except NotSupported:  # traced, that is; run plainly it may do without
            return None, True
        except Unlike:
            return None, False

    def _translated(self, args: Any, kwargs: Any) -> Program | ScalarProgram | None:
        f, budget = self.__wrapped__, self._budget
        taken = take(f, args, kwargs, light=budget is not None)
        misses: list[native.Miss] = []
        for written in write(taken, several=budget is not None):
            around = surroundings(f)
            self._photographer.refer(written.recording.tape.references.values())
            if self._photographer.reads(around):  # what Python read of an array may change in it
                around = around._replace(whole=False)
            self._around = around
            try:
                limits = Budget(budget, misses[0] if misses else None)
                return translate(written, kwargs, around, limits)
            except native.Miss as miss:
                misses.append(miss)
        raise _too_little(self.__name__, budget or 0, misses)

    def derived(self, derivative: Callable[..., Any], *options: Any) -> Callable[..., Any]:
        """Return the compiled derivative: of a compiled function it is compiled as well."""
        return jit(derivative(self.__wrapped__, *options), self._budget)

    def _warn_of_memory(self) -> None:
        """Say, once, that a function with a budget runs without one."""
        if self._budget is None or self._warned:
            return
        self._warned = True
        said = Says(
            "{0} runs as plain Python with these arguments: memory={1} does not bound it.",
            "{0} roda como Python comum com estes argumentos: memory={1} não a limita.",
        ).fill(self.__name__, self._budget)
        warnings.warn(PathWarning(said), stacklevel=4)

    def _warn(self, programs: list[Program | ScalarProgram]) -> None:
        paths = [program.path for program in programs]
        place = _where_they_part(paths)
        at = plain("") if place is None else plain(" ({0})").fill(locate(place))
        said = Says(
            "{0} has taken {1} different paths{2}: from now on it runs as plain Python.",
            "{0} tomou {1} caminhos diferentes{2}: daqui em diante roda como Python comum.",
        ).fill(self.__name__, len(paths), at)
        warnings.warn(PathWarning(said), stacklevel=5)


def _too_little(name: str, budget: int, misses: Sequence[native.Miss]) -> TooLittleMemory:
    needed, where = min((miss.least() for miss in misses), key=lambda found: found[0])
    needed = min(needed, misses[0].natural)
    return TooLittleMemory(
        Says(
            "{0} does not fit into {1}: the least that was found is {2}, everything kept takes "
            "{3}. The line below needs most.",
            "{0} não cabe em {1}: o mínimo encontrado é {2}, com tudo guardado são {3}. A linha "
            "abaixo é a que mais precisa.",
        ).fill(name, *map(as_text, (budget, needed, misses[0].natural))),
        Says(
            "give it memory={0}, smaller batches, or float32 in place of float64.",
            "dê-lhe memory={0}, lotes menores, ou float32 no lugar de float64.",
        ).fill(needed),
        where or False,
    )


def _doc(f: Callable[..., Any]) -> str | None:
    """Return a docstring that tells a built-in function's signature to `inspect`."""
    doc = inspect.getdoc(f) or ""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return doc or None
    bare = signature.replace(
        parameters=[p.replace(annotation=p.empty) for p in signature.parameters.values()],
        return_annotation=signature.empty,
    )
    try:
        ast.parse(f"def f{bare}: pass")
    except SyntaxError:  # a default value that no text gives back
        return doc or None
    return f"{function_name(f)}{bare}\n--\n\n{doc}"


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Spare the collector the many small objects of a translation, of which most will stay."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _kind(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        row = leaf.flags.c_contiguous
        return type(leaf), leaf.shape, leaf.dtype.str, None if row else leaf.strides
    return type(leaf)


def _where_they_part(paths: Sequence[Any]) -> Where | None:
    """Return the place of the first decision that the last two paths took differently."""
    for one, other in zip(paths[-2], paths[-1], strict=False):
        if one[:2] != other[:2]:
            return other[2]
    longer = max(paths[-2:], key=len)
    return longer[-1][2] if longer else None
