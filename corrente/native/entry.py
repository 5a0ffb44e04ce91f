"""The entry: a function that CPython calls directly, written for one kind of arguments.

It compares the arguments with those it was written for, reads floats and arrays where they lie,
makes the outputs, runs the program and builds the result. What does not fit goes on to the next
door: another such function, or the slow one in Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.native.code import Code, scaled
from corrente.native.layouts import Layout
from corrente.native.programs import ARENA, Call, Lowered, Repeat
from corrente.native.threads import PARALLEL
from corrente.purity import Seen

_LARGE = 1 << 21
"""Bytes of traffic from which on the interpreter's lock is given up while a program runs."""
_MANY = 128
"""Calls from which on a program is left as it is written, not optimised as a whole."""


class Leaf(NamedTuple):
    """An argument that flows in: a Python float, a NumPy scalar or an array."""

    kind: str
    layout: Layout


class Fixed(NamedTuple):
    """An argument that is part of what was compiled: None, a string, a small whole number."""

    value: Any


class Made(NamedTuple):
    """A result that is computed: a Python float, int or bool, a NumPy scalar or an array."""

    kind: str
    layout: Layout


class Nested(NamedTuple):
    """A tuple, list or dict of parts; a dict's keys are in order."""

    kind: type
    parts: tuple[Any, ...]
    keys: tuple[Any, ...] = ()


Part = Leaf | Fixed | Made | Nested


class Table:
    """Pointers that a program reads at run time: objects, functions, its arena."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._known: dict[Any, int] = {}

    def slot(self, kind: str, value: Any) -> int:
        """Return the number of an entry; the same thing is entered once."""
        key = kind, id(value) if kind == "object" else value
        if key not in self._known:
            self._known[key] = len(self.entries)
            self.entries.append((kind, value))
        return self._known[key]


class Entry:
    """Writes the entry function of a lowered circuit for one way of giving its arguments."""

    def __init__(
        self,
        name: str,
        lowered: Lowered,
        given: Sequence[Part],
        result: Part,
        around: Sequence[Seen],
        table: Table,
    ) -> None:
        self.name, self.lowered, self.given, self.result = name, lowered, given, result
        self.around, self.table = around, table
        self.code = Code(lowered.module)
        self.stores: list[tuple[Layout, str, str]] = []
        self.bases: dict[int, str] = {}
        self.made: dict[int, str] = {}

    def text(self) -> str:
        """Return the text of the function; `main` must be written beside it."""
        code = self.code
        self._must(f"icmp eq i64 %count, {len(self.given)}")
        self._must("icmp eq ptr %names, null")
        for seen in self.around:
            self._check_around(seen)
        for k, part in enumerate(self.given):
            self._check(part, code.let(f"load ptr, ptr {code.at('%given', 8 * k)}", "arg"))
        self._run()
        code.begin("%miss")
        following = self._slot("next", self.name)
        code.add(
            f"%missed = tail call ptr {following}(ptr %self, ptr %given, i64 %count, ptr %names)"
        )
        code.add("ret ptr %missed")
        # checks and copies: there is nothing to gain, and half of the code is here
        manner = "nounwind noinline optnone"
        given = "ptr %self, ptr %given, i64 %count, ptr %names"
        return code.text(f"define ptr @{self.name}({given}) {manner}")

    def _check_around(self, seen: Seen) -> None:
        """Compare a variable around the function with what it was."""
        code = self.code
        place, wanted = self._slot("object", seen.place), self._slot("object", seen.value)
        if seen.name is None:
            found = code.let(f"load ptr, ptr {code.at(place, 16)}")  # ob_ref of a cell
        else:
            self._declare("PyDict_GetItemWithError", "ptr", "ptr", "ptr")
            named = self._slot("object", seen.name)
            found = code.let(f"call ptr @PyDict_GetItemWithError(ptr {place}, ptr {named})")
        self._must(f"icmp eq ptr {found}, {wanted}")

    # --- checking what was given ----------------------------------------------------------------

    def _must(self, condition: str) -> None:
        flag = self.code.let(condition)
        further = self.code.name("fits")
        self.code.add(f"br i1 {flag}, label {further}, label %miss")
        self.code.begin(further)

    def _slot(self, kind: str, value: Any) -> str:
        number = self.table.slot(kind, value)
        place = f"getelementptr inbounds (i8, ptr @table, i64 {8 * number})"
        return self.code.let(f"load ptr, ptr {place}", "slot")

    def _type(self, pointer: str, kind: str) -> None:
        found = self.code.let(f"load ptr, ptr {self.code.at(pointer, 8)}")
        wanted = "@PyFloat_Type" if kind == "float" else self._slot("object", _TYPES[kind])
        self._must(f"icmp eq ptr {found}, {wanted}")

    def _check(self, part: Part, pointer: str) -> None:
        if isinstance(part, Fixed):
            self._must(f"icmp eq ptr {pointer}, {self._slot('object', part.value)}")
        elif isinstance(part, Nested):
            self._check_nested(part, pointer)
        elif part.kind == "array":
            self._check_array(part.layout, pointer)
        else:
            self._check_number(part, pointer)

    def _check_nested(self, part: Nested, pointer: str) -> None:
        code = self.code
        self._type(pointer, part.kind.__name__)
        if part.kind is dict:
            size = code.let(f"load i64, ptr {code.at(pointer, 16)}")  # ma_used
            self._must(f"icmp eq i64 {size}, {len(part.keys)}")
            self._declare("PyDict_GetItemWithError", "ptr", "ptr", "ptr")
            for key, inner in zip(part.keys, part.parts, strict=True):
                named = self._slot("object", key)
                found = code.let(f"call ptr @PyDict_GetItemWithError(ptr {pointer}, ptr {named})")
                self._must(f"icmp ne ptr {found}, null")
                self._check(inner, found)
            return
        size = code.let(f"load i64, ptr {code.at(pointer, 16)}")
        self._must(f"icmp eq i64 {size}, {len(part.parts)}")
        items = code.at(pointer, 24)
        if part.kind is list:
            items = code.let(f"load ptr, ptr {items}")
        for k, inner in enumerate(part.parts):
            self._check(inner, code.let(f"load ptr, ptr {code.at(items, 8 * k)}", "arg"))

    def _check_array(self, layout: Layout, pointer: str) -> None:
        code = self.code
        self._type(pointer, "array")
        self._check_dtype(layout.dtype, code.let(f"load ptr, ptr {code.at(pointer, 56)}"))
        rank = code.let(f"load i32, ptr {code.at(pointer, 24)}")
        self._must(f"icmp eq i32 {rank}, {len(layout.shape)}")
        if layout.shape:
            sizes = code.let(f"load ptr, ptr {code.at(pointer, 32)}")
            strides = code.let(f"load ptr, ptr {code.at(pointer, 40)}")
            for k, (n, stride) in enumerate(zip(layout.shape, layout.strides, strict=True)):
                size = code.let(f"load i64, ptr {code.at(sizes, 8 * k)}")
                self._must(f"icmp eq i64 {size}, {n}")
                if n > 1 and layout.size:
                    step = code.let(f"load i64, ptr {code.at(strides, 8 * k)}")
                    self._must(f"icmp eq i64 {step}, {stride}")
        flags = code.let(f"load i32, ptr {code.at(pointer, 64)}")
        aligned = code.let(f"and i32 {flags}, 256")
        self._must(f"icmp ne i32 {aligned}, 0")
        data = code.let(f"load ptr, ptr {code.at(pointer, 16)}")
        if layout.base == ARENA:
            kind = f"i{8 * layout.dtype.itemsize}"
            self.stores.append((layout, kind, code.let(f"load {kind}, ptr {data}")))
        else:
            self.bases[layout.base] = data

    def _check_dtype(self, dtype: np.dtype[Any], pointer: str) -> None:
        """See that a dtype is this one, or its equal: an array from another process brings one."""
        code = self.code
        alike = code.let(f"icmp eq ptr {pointer}, {self._slot('object', dtype)}")
        parts = []
        for offset, kind, value in (
            (24, "i8", ord(dtype.kind)),
            (26, "i8", ord(dtype.byteorder)),
            (40, "i64", dtype.itemsize),
        ):
            found = code.let(f"load {kind}, ptr {code.at(pointer, offset)}")
            parts.append(code.let(f"icmp eq {kind} {found}, {value}"))
        equal = code.let(f"and i1 {parts[0]}, {code.let(f'and i1 {parts[1]}, {parts[2]}')}")
        self._must(f"or i1 {alike}, {equal}")

    def _check_number(self, part: Leaf | Made, pointer: str) -> None:
        if part.kind in ("float", "complex"):
            self._type(pointer, part.kind)
        else:
            found = self.code.let(f"load ptr, ptr {self.code.at(pointer, 8)}")
            self._must(f"icmp eq ptr {found}, {self._slot('object', part.layout.dtype.type)}")
        kind = f"i{8 * part.layout.dtype.itemsize}"
        value = self.code.let(f"load {kind}, ptr {self.code.at(pointer, 16)}")
        self.stores.append((part.layout, kind, value))

    # --- running --------------------------------------------------------------------------------

    def _declare(self, name: str, out: str, *ins: str) -> None:
        # these do have effects: no promise
        self.code.module.define(name, lambda: f"declare {out} @{name}({', '.join(ins)})")

    def _run(self) -> None:
        code, lowered = self.code, self.lowered
        outs = list(_leaves(self.result))
        for part in outs:
            if part.kind == "array":
                self._make_array(part.layout)
        arena = self._arena()
        for layout, kind, value in self.stores:
            code.add(f"store {kind} {value}, ptr {code.at(arena, layout.offset)}")
        code.add(f"store i64 0, ptr {arena}")
        pointers = {ARENA: arena, **self.bases}
        for base, array in lowered.held.items():
            owner = self._slot("object", array)
            pointers[base] = code.let(f"load ptr, ptr {code.at(owner, 16)}")
        for part in outs:
            if part.kind != "array":
                offset = lowered.scratch[part.layout.base]
                pointers[part.layout.base] = code.at(arena, offset)
        table = code.name("bases")
        code.entry.append(f"  {table} = alloca [{lowered.bases} x ptr]")
        for base, pointer in pointers.items():
            code.add(f"store ptr {pointer}, ptr {code.at(table, 8 * base)}")
        status = self._call_main(table)
        fine = code.let(f"icmp eq i32 {status}, 0")
        good, bad = code.name("good"), code.name("bad")
        code.add(f"br i1 {fine}, label {good}, label {bad}")
        code.begin(bad)
        self._leave(arena)
        self._declare("Py_DecRef", "void", "ptr")
        for array in self.made.values():
            code.add(f"call void @Py_DecRef(ptr {array})")
        code.add("br label %miss")
        code.begin(good)
        result = self._build(self.result, pointers)
        self._leave(arena)
        code.add(f"ret ptr {result}")

    def _call_main(self, table: str) -> str:
        code = self.code
        if self.lowered.traffic < _LARGE:
            return code.let(f"call i32 @main(ptr {table})")
        self._declare("PyEval_SaveThread", "ptr")
        self._declare("PyEval_RestoreThread", "void", "ptr")
        state = code.let("call ptr @PyEval_SaveThread()")
        status = code.let(f"call i32 @main(ptr {table})")
        code.add(f"call void @PyEval_RestoreThread(ptr {state})")
        return status

    def _arena(self) -> str:
        """Take the program's arena, or one of our own while another thread is in it."""
        code = self.code
        self._declare("aligned_alloc", "ptr", "i64", "i64")
        self._declare("free", "void", "ptr")
        was = code.let("atomicrmw xchg ptr @busy, i8 1 acquire")
        free = code.let(f"icmp eq i8 {was}, 0")
        mine = self._slot("arena", 0)
        here, other, chosen = code.name("here"), code.name("other"), code.name("chosen")
        code.add(f"br i1 {free}, label {here}, label {other}")
        code.begin(here)
        code.add(f"br label {chosen}")
        code.begin(other)
        size = -(-self.lowered.arena.size // 64) * 64
        own = code.let(f"call ptr @aligned_alloc(i64 64, i64 {size})")
        code.add(f"br label {chosen}")
        code.begin(chosen)
        self.own = code.let(f"phi ptr [ null, {here} ], [ {own}, {other} ]")
        return code.let(f"phi ptr [ {mine}, {here} ], [ {own}, {other} ]", "arena")

    def _leave(self, arena: str) -> None:
        code = self.code
        ours = code.let(f"icmp eq ptr {self.own}, null")
        give, drop, after = code.name("give"), code.name("drop"), code.name("after")
        code.add(f"br i1 {ours}, label {give}, label {drop}")
        code.begin(give)
        code.add("store atomic i8 0, ptr @busy release, align 1")
        code.add(f"br label {after}")
        code.begin(drop)
        code.add(f"call void @free(ptr {arena})")
        code.add(f"br label {after}")
        code.begin(after)

    # --- building the result --------------------------------------------------------------------

    def _make_array(self, layout: Layout) -> None:
        code = self.code
        dtype = self._slot("object", layout.dtype)
        make = self._slot("numpy", 184)  # PyArray_Empty
        self._declare("Py_IncRef", "void", "ptr")
        code.add(f"call void @Py_IncRef(ptr {dtype})")
        rank = len(layout.shape)
        sizes = code.name("sizes")
        code.entry.append(f"  {sizes} = alloca [{max(rank, 1)} x i64]")
        for k, n in enumerate(layout.shape):
            code.add(f"store i64 {n}, ptr {code.at(sizes, 8 * k)}")
        array = code.let(f"call ptr {make}(i32 {rank}, ptr {sizes}, ptr {dtype}, i32 0)", "new")
        self.made[layout.base] = array
        self.bases[layout.base] = code.let(f"load ptr, ptr {code.at(array, 16)}")

    def _build(self, part: Part, pointers: dict[int, str]) -> str:
        code = self.code
        if isinstance(part, Fixed):
            self._declare("Py_IncRef", "void", "ptr")
            value = self._slot("object", part.value)
            code.add(f"call void @Py_IncRef(ptr {value})")
            return value
        if isinstance(part, Nested):
            return self._build_nested(part, pointers)
        if part.kind == "array":
            return self.made[part.layout.base]
        return self._build_number(part, pointers[part.layout.base])

    def _build_number(self, part: Leaf | Made, place: str) -> str:
        code = self.code
        if part.kind == "float":
            self._declare("PyFloat_FromDouble", "ptr", "double")
            value = code.let(f"load double, ptr {place}")
            return code.let(f"call ptr @PyFloat_FromDouble(double {value})")
        if part.kind == "bool":
            self._declare("PyBool_FromLong", "ptr", "i64")
            value = code.let(f"zext i8 {code.let(f'load i8, ptr {place}')} to i64")
            return code.let(f"call ptr @PyBool_FromLong(i64 {value})")
        if part.kind == "int":
            self._declare("PyLong_FromLongLong", "ptr", "i64")
            return code.let(
                f"call ptr @PyLong_FromLongLong(i64 {code.let(f'load i64, ptr {place}')})"
            )
        if part.kind == "complex":
            self._declare("PyComplex_FromDoubles", "ptr", "double", "double")
            real = code.let(f"load double, ptr {place}")
            imag = code.let(f"load double, ptr {code.at(place, 8)}")
            return code.let(f"call ptr @PyComplex_FromDoubles(double {real}, double {imag})")
        make = self._slot("numpy", 60)  # PyArray_Scalar
        dtype = self._slot("object", part.layout.dtype)
        return code.let(f"call ptr {make}(ptr {place}, ptr {dtype}, ptr null)")

    def _build_nested(self, part: Nested, pointers: dict[int, str]) -> str:
        code = self.code
        count = len(part.parts)
        if part.kind is dict:
            self._declare("PyDict_New", "ptr")
            self._declare("PyDict_SetItem", "i32", "ptr", "ptr", "ptr")
            self._declare("Py_DecRef", "void", "ptr")
            whole = code.let("call ptr @PyDict_New()")
            for key, inner in zip(part.keys, part.parts, strict=True):
                value = self._build(inner, pointers)
                named = self._slot("object", key)
                code.let(f"call i32 @PyDict_SetItem(ptr {whole}, ptr {named}, ptr {value})")
                code.add(f"call void @Py_DecRef(ptr {value})")
            return whole
        name = "PyTuple_New" if part.kind is tuple else "PyList_New"
        self._declare(name, "ptr", "i64")
        values = [self._build(inner, pointers) for inner in part.parts]
        whole = code.let(f"call ptr @{name}(i64 {count})")
        items = code.at(whole, 24)
        if part.kind is list and count:
            items = code.let(f"load ptr, ptr {items}")
        for k, value in enumerate(values):
            code.add(f"store ptr {value}, ptr {code.at(items, 8 * k)}")
        return whole


_TYPES: dict[str, Any] = {
    "array": np.ndarray,
    "tuple": tuple,
    "list": list,
    "dict": dict,
    "complex": complex,
}


def _leaves(part: Part) -> Iterator[Leaf | Made]:
    if isinstance(part, Nested):
        for inner in part.parts:
            yield from _leaves(inner)
    elif not isinstance(part, Fixed):
        yield part


def variables(table: Table) -> str:
    """Write what the functions of a program share; the table must be complete."""
    return "\n".join(
        (
            f"@table = global [{len(table.entries)} x ptr] zeroinitializer",
            "@busy = internal global i8 0",
            "@PyFloat_Type = external global i8",
        )
    )


def main(lowered: Lowered, table: Table) -> str:
    """Write the program: its calls one after another, on the places of this run."""
    code = Code(lowered.module)
    bases = {
        base: code.let(f"load ptr, ptr {code.at('%bases', 8 * base)}", "base")
        for base in sorted(_used(lowered.calls))
    }
    _calls(code, lowered.calls, bases, table)
    arena = bases.get(ARENA) or code.let("load ptr, ptr %bases")
    code.add(f"ret i32 {code.let(f'load i32, ptr {arena}')}")
    # of so many calls LLVM would look for what to put into what, and takes minutes
    manner = " noinline optnone" if len(lowered.calls) > _MANY else ""
    return code.text(f"define internal i32 @main(ptr %bases) nounwind{manner}")


def _used(calls: Sequence[Call | Repeat]) -> set[int]:
    """Return the bases that calls use, without those that loops make for themselves."""
    used: set[int] = set()
    for call in calls:
        if isinstance(call, Repeat):
            inside = _used(call.calls) | {moving.parent for moving in call.moving}
            used |= inside - {moving.base for moving in call.moving}
        else:
            used |= {base for base, _ in call.places}
    return used


def _calls(code: Code, calls: Sequence[Call | Repeat], bases: dict[int, str], table: Table) -> None:
    for call in calls:
        if isinstance(call, Repeat):
            _repeat(code, call, bases, table)
            continue
        places = [code.at(bases[base], offset) for base, offset in call.places]
        if call.kernel is not None and not call.parts:
            code.add(f"call void @{call.kernel}({', '.join(f'ptr {p}' for p in places)})")
            continue
        given = code.name("given")
        code.entry.append(f"  {given} = alloca [{max(len(places), 1)} x ptr]")
        for k, place in enumerate(places):
            code.add(f"store ptr {place}, ptr {code.at(given, 8 * k)}")
        if call.parts:
            count = code.let(f"load i64, ptr {_entry(table, 'threads', 0)}")
            work = f"ptr @{call.kernel}.part, ptr {given}, i64 {call.parts}, i64 {count}"
            code.add(f"call void @{PARALLEL}({work})")
        else:
            _call_back(code, call, given, table)


def _call_back(code: Code, call: Call, given: str, table: Table) -> None:
    back = code.let(f"load ptr, ptr {_entry(table, 'callback', call.back)}")
    status = code.let(f"call i32 {back}(ptr {given})")
    fine = code.let(f"icmp eq i32 {status}, 0")
    stop, go = code.name("stop"), code.name("go")
    code.add(f"br i1 {fine}, label {go}, label {stop}")
    code.begin(stop)
    code.add(f"ret i32 {status}")
    code.begin(go)


def _entry(table: Table, kind: str, value: Any) -> str:
    """Return where a table's entry stands."""
    return f"getelementptr inbounds (i8, ptr @table, i64 {8 * table.slot(kind, value)})"


def _repeat(code: Code, repeat: Repeat, bases: dict[int, str], table: Table) -> None:
    """Write a loop over calls; its pointers are set anew at every iteration."""
    with code.loop(0, repeat.times) as index:
        k = code.let(f"sub i64 {repeat.times - 1}, {index}") if repeat.reverse else index
        odd = code.let(f"and i64 {k}, 1")
        inside = dict(bases)
        for moving in repeat.moving:
            start = code.at(bases[moving.parent], moving.offset)
            steps = [(odd if moving.flips else k, moving.step)]
            inside[moving.base] = code.at(start, scaled(code, steps))
        _calls(code, repeat.calls, inside, table)
