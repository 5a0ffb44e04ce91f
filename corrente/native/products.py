"""Products: sums of products as register tiles where they are small, as BLAS calls where large."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from corrente.native import threads
from corrente.native.code import Code, scaled
from corrente.native.layouts import Layout
from corrente.native.vectors import Module

_SMALL = 60_000
"""Multiplications up to which a tile in registers beats a BLAS call (measured)."""
_PACKED = 8192
_WAITING = 8
"""Additions that a core has under way at once."""
_PARTED = 400_000
"""Multiplications from which on a product is shared out to threads."""
_ROWS, _STEP = 96, 8
"""Rows that a part of a BLAS call has at least, and what their numbers are multiples of: each
part makes a copy of the other operand, which should not weigh."""
_NEAR = 1 << 16
"""Bytes of an operand up to which tiles beat BLAS, however many rows there are (measured)."""
_KINDS = {"f8": "double", "f4": "float"}


class Core(NamedTuple):
    """One matrix product inside a contraction: sizes and strides (in bytes) of C[m,n] += A·B."""

    m: int
    n: int
    k: int
    a: tuple[int, int]
    """Strides of A along m and k."""
    b: tuple[int, int]
    """Strides of B along k and n."""
    c: tuple[int, int]
    """Strides of C along m and n."""


class Contraction(NamedTuple):
    """A contraction as loops around one matrix product."""

    loops: tuple[tuple[int, int, int, int], ...]
    """Size, and strides of a, b and the output."""
    core: Core
    kind: str


def arrange(spec: str, a: Layout, b: Layout, out: Layout) -> Contraction | None:
    """Arrange an einsum of two operands as loops around a matrix product; None if it is not one."""
    if a.dtype != b.dtype or a.dtype != out.dtype or a.dtype.str[1:] not in _KINDS:
        return None
    given, kept = spec.split("->")
    left, right = given.split(",")
    if any(len(set(part)) != len(part) for part in (left, right, kept)):
        return None
    if set(kept) != (set(left) | set(right)) - ((set(left) & set(right)) - set(kept)):
        return None  # a letter of one operand alone is summed
    walk_a = dict(zip(left, a.strides, strict=True))
    walk_b = dict(zip(right, b.strides, strict=True))
    walk_c = dict(zip(kept, out.strides, strict=True))
    sizes = dict(zip(left + right, a.shape + b.shape, strict=True))
    for part, layout in ((left, a), (right, b)):
        for letter, n in zip(part, layout.shape, strict=True):
            sizes[letter] = max(sizes[letter], n)  # axes of one element are repeated
    walk_a = {c: 0 if a.shape[left.index(c)] != sizes[c] else s for c, s in walk_a.items()}
    walk_b = {c: 0 if b.shape[right.index(c)] != sizes[c] else s for c, s in walk_b.items()}
    if 0 in sizes.values():
        return None
    both = [c for c in kept if c in left and c in right and sizes[c] != 1]
    rows = [c for c in kept if c in left and c not in right and sizes[c] != 1]
    columns = [c for c in kept if c in right and c not in left and sizes[c] != 1]
    summed = [c for c in left if c not in kept and sizes[c] != 1]
    m, rows = _innermost(rows, sizes, walk_a, walk_c)
    n, columns = _innermost(columns, sizes, walk_b, walk_c)
    k, rest = _innermost(summed, sizes, walk_a, walk_b)
    if rest:
        return None
    core = Core(m[0], n[0], k[0], (m[1], k[1]), (k[2], n[1]), (m[2], n[2]))
    loops = [(sizes[c], walk_a.get(c, 0), walk_b.get(c, 0), walk_c[c]) for c in (*both, *rows)]
    loops += [(sizes[c], 0, walk_b[c], walk_c[c]) for c in columns]
    return Contraction(tuple(loops), core, _KINDS[a.dtype.str[1:]])


def _innermost(
    letters: Sequence[str],
    sizes: dict[str, int],
    one: dict[str, int],
    other: dict[str, int],
) -> tuple[tuple[int, int, int], list[str]]:
    """Merge letters from the inside out into one axis: its size, its strides, and those left."""
    rest = sorted(letters, key=lambda c: -abs(one[c]))
    if not rest:
        return (1, 0, 0), []
    last = rest.pop()
    size, first, second = sizes[last], one[last], other[last]
    while rest and one[rest[-1]] == first * size and other[rest[-1]] == second * size:
        size *= sizes[rest.pop()]
    return (size, first, second), rest


def product(
    head: str, contraction: Contraction, module: Module, vector_bytes: int, parted: bool = False
) -> str:
    """Write the function that computes a contraction: pointers of a, b and the output.

    A parted one takes `%begin` and `%end`: of the outermost loop around it, or of its tiles.
    """
    code = Code(module)
    _loops(code, contraction, 0, ("%in0", "%in1", "%out0"), vector_bytes, parted)
    code.add("ret void")
    return code.text(head)


def _loops(
    code: Code,
    contraction: Contraction,
    depth: int,
    pointers: tuple[str, str, str],
    vector_bytes: int,
    parted: bool = False,
) -> None:
    if depth < len(contraction.loops):
        size, *walks = contraction.loops[depth]
        begin, end = ("%begin", "%end") if parted else ("0", str(size))
        with code.loop(begin, end) as index:
            moved = [
                code.at(p, scaled(code, [(index, w)])) for p, w in zip(pointers, walks, strict=True)
            ]
            inner = moved[0], moved[1], moved[2]
            _loops(code, contraction, depth + 1, inner, vector_bytes)
        return
    core, kind = contraction.core, contraction.kind
    cut = parted and not contraction.loops
    if cut and not _is_small(core, kind):
        _part_of_blas(code, core, kind, pointers)
        return
    call = None if _is_small(core, kind) else _blas(core, kind)
    if call is not None:
        _call_blas(code, call, kind, pointers)
    else:
        _tiles(code, core, kind, pointers, vector_bytes, cut)


def _is_small(core: Core, kind: str) -> bool:
    """Tell whether tiles beat BLAS: few products, or an operand that stays near the core."""
    size = 8 if kind == "double" else 4
    near = min(core.n, core.m) * core.k * size <= _NEAR
    return near or core.m * core.n * core.k <= _SMALL


# --- BLAS -------------------------------------------------------------------------------------


class _Call(NamedTuple):
    """The arguments of a gemm in the order of Fortran, which sees every matrix turned."""

    flips: tuple[str, str]
    sizes: tuple[int, int, int]
    leading: tuple[int, int, int]
    swapped: bool


def _blas(core: Core, kind: str) -> _Call | None:
    size = 8 if kind == "double" else 4
    m, n, k = core.m, core.n, core.k
    if core.c[1] == size or n == 1:
        first, second = (core.b[0], core.b[1], k, n), (core.a[0], core.a[1], m, k)
        sizes, step, swapped = (n, m, k), core.c[0], False
    elif core.c[0] == size or m == 1:
        first, second = (core.a[1], core.a[0], k, m), (core.b[1], core.b[0], n, k)
        sizes, step, swapped = (m, n, k), core.c[1], True
    else:
        return None
    flips = []
    leading = []
    # a matrix whose second index walks element by element is not turned for Fortran
    for down, across, high, wide in (first, second):
        if across == size or wide == 1:
            flips.append("N")
            leading.append(down // size if high > 1 else wide)
        elif down == size or high == 1:
            flips.append("T")
            leading.append(across // size if wide > 1 else high)
        else:
            return None
        limit = wide if flips[-1] == "N" else high
        if leading[-1] < max(1, limit) or (down % size or across % size):
            return None
    leading.append(step // size if (m if not swapped else n) > 1 else sizes[0])
    if leading[2] < sizes[0]:
        return None
    return _Call((flips[0], flips[1]), sizes, (leading[0], leading[1], leading[2]), swapped)


def _part_of_blas(code: Code, core: Core, kind: str, pointers: tuple[str, str, str]) -> None:
    """Call BLAS for some rows of the result: those from `_STEP` times %begin to %end."""
    a, b, out = pointers
    if core.n > core.m:
        core, a, b = _turned(core), b, a
    call = _blas(core, kind)
    assert call is not None  # a turned product is a call of BLAS where the other way is one
    first = code.let(f"mul i64 %begin, {_STEP}")
    last = code.let(f"mul i64 %end, {_STEP}")
    code.module.declare("llvm.umin.i64", *["i64"] * 3)
    last = code.let(f"call i64 @llvm.umin.i64(i64 {last}, i64 {core.m})")
    rows = code.let(f"trunc i64 {code.let(f'sub i64 {last}, {first}')} to i32")
    moved = code.at(a, scaled(code, [(first, core.a[0])]))
    put = code.at(out, scaled(code, [(first, core.c[0])]))
    _call_blas(code, call, kind, (moved, b, put), rows)


def _call_blas(
    code: Code, call: _Call, kind: str, pointers: tuple[str, str, str], rows: str = ""
) -> None:
    """Call BLAS for the whole product, or for a number of rows known when it runs."""
    name = "corrente_dgemm" if kind == "double" else "corrente_sgemm"
    code.module.define(name, lambda: f"declare void @{name}({', '.join(['ptr'] * 13)})")
    sizes: list[int | str] = list(call.sizes)
    if rows:
        sizes[0 if call.swapped else 1] = rows
    numbers = {}
    for value in (*sizes, *call.leading):
        if value not in numbers:
            numbers[value] = code.local("i32")
            code.add(f"store i32 {value}, ptr {numbers[value]}")
    letters = {}
    for letter in sorted(set(call.flips)):
        letters[letter] = code.local("i8")
        code.add(f"store i8 {ord(letter)}, ptr {letters[letter]}")
    one, zero = code.local(kind), code.local(kind)
    code.add(f"store {kind} 1.0, ptr {one}")
    code.add(f"store {kind} 0.0, ptr {zero}")
    a, b, out = pointers
    first, second = (a, b) if call.swapped else (b, a)
    given = [
        *(letters[f] for f in call.flips),
        *(numbers[s] for s in sizes),
        one,
        first,
        numbers[call.leading[0]],
        second,
        numbers[call.leading[1]],
        zero,
        out,
        numbers[call.leading[2]],
    ]
    code.add(f"call void @{name}({', '.join(f'ptr {g}' for g in given)})")


# --- tiles in registers -----------------------------------------------------------------------


def _tiles(
    code: Code,
    core: Core,
    kind: str,
    pointers: tuple[str, str, str],
    vector_bytes: int,
    parted: bool,
) -> None:
    """Write C in tiles of a few rows and vectors, each kept in registers over the whole sum."""
    size = 8 if kind == "double" else 4
    a, b, out = pointers
    facing = _facing(core, size)
    if facing is not core:
        core, a, b = facing, b, a
    if core.b[1] != size and core.n > 1 and 1 < core.n * core.k <= _PACKED and core.m > 2:
        b = _packed(code, core, kind, size, b)
        core = core._replace(b=(core.n * size, size))
    high = _height(core.n, vector_bytes // size)
    for start, lanes, vectors, count in _columns(core.n, vector_bytes // size):
        tile = _Tile(core, kind, high, lanes, vectors)
        if count > 1:
            with code.loop(0, count) as index:
                moved = scaled(code, [(index, lanes * vectors * core.b[1])], start * core.b[1])
                put = scaled(code, [(index, lanes * vectors * core.c[1])], start * core.c[1])
                _rows(code, tile, (a, code.at(b, moved), code.at(out, put)), parted)
        else:
            places = a, code.at(b, start * core.b[1]), code.at(out, start * core.c[1])
            _rows(code, tile, places, parted)


class _Tile(NamedTuple):
    """A tile of a product: `high` rows by `vectors` vectors of `lanes` columns."""

    core: Core
    kind: str
    high: int
    lanes: int
    vectors: int


def _columns(n: int, lanes: int) -> Iterator[tuple[int, int, int, int]]:
    """Part columns into tiles: start, lanes of a vector, vectors side by side, how many tiles."""
    start = 0
    wide = n // (2 * lanes)
    if wide:
        yield 0, lanes, 2, wide
        start = wide * 2 * lanes
    rest = n - start
    while rest:
        width = min(lanes, 1 << (rest.bit_length() - 1))
        yield start, width, 1, 1
        start, rest = start + width, rest - width


def _rows(code: Code, tile: _Tile, pointers: tuple[str, str, str], parted: bool) -> None:
    core, high = tile.core, tile.high
    a, b, out = pointers
    whole, rest = divmod(core.m, high)
    begin, end = ("%begin", "%end") if parted else ("0", str(whole))
    if whole:
        with code.loop(begin, end) as index:
            first = code.at(a, scaled(code, [(index, high * core.a[0])]))
            put = code.at(out, scaled(code, [(index, high * core.c[0])]))
            _write_tile(code, tile, (first, b, put))
    if rest:
        done = whole * high
        with code.unless(code.let(f"icmp ne i64 {end}, {whole}")):
            places = code.at(a, done * core.a[0]), b, code.at(out, done * core.c[0])
            _write_tile(code, tile._replace(high=rest), places)


def _write_tile(code: Code, tile: _Tile, pointers: tuple[str, str, str]) -> None:
    """Write one tile: for every k, `high` numbers of A times `vectors` vectors of B."""
    core, kind, high, lanes, vectors = tile
    out = pointers[2]
    size = 8 if kind == "double" else 4
    vector = kind if lanes == 1 else f"<{lanes} x {kind}>"
    # a tile of few cells would wait for each addition: several sums run side by side
    ways = _WAITING // (high * vectors) if core.k >= 4 * _WAITING else 1
    ways = max(ways, 1)
    cells = [
        [[code.local(vector) for _ in range(vectors)] for _ in range(high)] for _ in range(ways)
    ]
    zero = "0.0" if lanes == 1 else "zeroinitializer"
    for line in (line for way in cells for line in way):
        for cell in line:
            code.add(f"store {vector} {zero}, ptr {cell}")
    whole = core.k - core.k % ways
    with code.loop(0, whole, ways) as k:
        for w, way in enumerate(cells):
            _step(code, tile, pointers, code.let(f"add nuw nsw i64 {k}, {w}") if w else k, way)
    for k in range(whole, core.k):
        _step(code, tile, pointers, str(k), cells[0])
    for r in range(high):
        for v in range(vectors):
            value = code.let(f"load {vector}, ptr {cells[0][r][v]}")
            for way in cells[1:]:
                more = code.let(f"load {vector}, ptr {way[r][v]}")
                value = code.let(f"fadd {vector} {value}, {more}")
            place = code.at(out, r * core.c[0] + v * lanes * core.c[1])
            _put(code, kind, lanes, value, place, core.c[1], size)


def _step(
    code: Code, tile: _Tile, pointers: tuple[str, str, str], k: str, cells: list[list[str]]
) -> None:
    """Add the products of one k to the cells of a tile."""
    core, kind, _, lanes, vectors = tile
    a, b, _ = pointers
    size = 8 if kind == "double" else 4
    vector = kind if lanes == 1 else f"<{lanes} x {kind}>"
    row = code.at(b, scaled(code, [(k, core.b[0])]))
    columns = [
        _vector(code, kind, lanes, code.at(row, v * lanes * core.b[1]), core.b[1], size)
        for v in range(vectors)
    ]
    down = code.at(a, scaled(code, [(k, core.a[1])]))
    for r, line in enumerate(cells):
        one = code.let(f"load {kind}, ptr {code.at(down, r * core.a[0])}")
        spread = _spread(code, vector, kind, lanes, one)
        for cell, column in zip(line, columns, strict=True):
            _multiply_add(code, vector, lanes, size, (spread, column, cell))


def _multiply_add(
    code: Code, vector: str, lanes: int, size: int, parts: tuple[str, str, str]
) -> None:
    one, other, cell = parts
    have = code.let(f"load {vector}, ptr {cell}")
    name = f"llvm.fmuladd.{'' if lanes == 1 else f'v{lanes}'}{'f64' if size == 8 else 'f32'}"
    code.module.declare(name, *[vector] * 4)
    given = f"{vector} {one}, {vector} {other}, {vector} {have}"
    more = code.let(f"call {vector} @{name}({given})")
    code.add(f"store {vector} {more}, ptr {cell}")


def _vector(code: Code, kind: str, lanes: int, pointer: str, stride: int, size: int) -> str:
    vector = kind if lanes == 1 else f"<{lanes} x {kind}>"
    if lanes == 1 or stride == size:
        return code.let(f"load {vector}, ptr {pointer}, align {size}")
    text = "poison"
    for lane in range(lanes):
        one = code.let(f"load {kind}, ptr {code.at(pointer, lane * stride)}")
        text = code.let(f"insertelement {vector} {text}, {kind} {one}, i64 {lane}")
    return text


def _put(
    code: Code, kind: str, lanes: int, value: str, pointer: str, stride: int, size: int
) -> None:
    vector = kind if lanes == 1 else f"<{lanes} x {kind}>"
    if lanes == 1 or stride == size:
        code.add(f"store {vector} {value}, ptr {pointer}, align {size}")
        return
    for lane in range(lanes):
        one = code.let(f"extractelement {vector} {value}, i64 {lane}")
        code.add(f"store {kind} {one}, ptr {code.at(pointer, lane * stride)}")


def _spread(code: Code, vector: str, kind: str, lanes: int, one: str) -> str:
    if lanes == 1:
        return one
    first = code.let(f"insertelement {vector} poison, {kind} {one}, i64 0")
    mask = f"<{lanes} x i32> zeroinitializer"
    return code.let(f"shufflevector {vector} {first}, {vector} poison, {mask}")


def _packed(code: Code, core: Core, kind: str, size: int, b: str) -> str:
    """Copy B so that its columns lie side by side."""
    place = code.local(f"[{core.n * core.k} x {kind}], align 64")
    with code.loop(0, core.n) as j:
        column = code.at(b, scaled(code, [(j, core.b[1])]))
        with code.loop(0, core.k) as k:
            one = code.let(f"load {kind}, ptr {code.at(column, scaled(code, [(k, core.b[0])]))}")
            put = code.at(place, scaled(code, [(k, core.n * size), (j, size)]))
            code.add(f"store {kind} {one}, ptr {put}")
    return place


def partition(contraction: Contraction, vector_bytes: int, alone: bool) -> tuple[int, int]:
    """Return the length of the axis on which a large product is parted, and into how many parts.

    `alone` tells whether BLAS can be kept to the thread that calls it. (0, 0): it is not parted.
    """
    core = contraction.core
    around = math.prod(size for size, *_ in contraction.loops)
    small = _is_small(core, contraction.kind)
    if around * core.m * core.n * core.k <= _PARTED or not (small or alone):
        return 0, 0
    if contraction.loops:
        length = contraction.loops[0][0]
    elif small:
        size = 8 if contraction.kind == "double" else 4
        core = _facing(core, size)
        length = core.m // _height(core.n, vector_bytes // size)
    elif _blas(core, contraction.kind) is not None:
        rows = max(core.m, core.n)
        parts = min(threads.PARTS, rows // _ROWS)
        return (-(-rows // _STEP), parts) if parts > 1 else (0, 0)
    else:
        return 0, 0
    return (length, min(threads.PARTS, length)) if length > 1 else (0, 0)


def _facing(core: Core, size: int) -> Core:
    """Turn a product whose result lies in columns, so that its rows lie in a row."""
    return core if core.c[1] == size or core.c[0] != size else _turned(core)


def _turned(core: Core) -> Core:
    """Exchange the operands: the result is the same one, seen turned."""
    turned = [(pair[1], pair[0]) for pair in (core.b, core.a, core.c)]
    return Core(core.n, core.m, core.k, *turned)


def _height(n: int, lanes: int) -> int:
    """Return the rows of a tile: what fits into the registers beside its vectors."""
    return 4 if n >= 2 * lanes else 8


def is_mostly_one(contraction: Contraction) -> bool:
    """Tell whether it has no matrix at its core: a loop over elements serves it as well."""
    core = contraction.core
    return min(core.m, core.n, core.k) == 1
