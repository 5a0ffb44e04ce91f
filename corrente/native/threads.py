"""Threads: large kernels are parted by their shapes alone, and the parts shared out to cores.

How a kernel is parted never depends on how many threads there are, so neither does the result.
"""

from __future__ import annotations

import os

from corrente.native.code import Code
from corrente.native.vectors import Module

PARTS = 16
"""Into how many parts a large kernel is cut."""
LARGE = 2_000_000
"""Elements times steps from which on parting pays for the start of a thread (measured)."""

_SHARE = """
%work = type { ptr, ptr, i64, i64 }
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
define internal ptr @share(ptr %work) nounwind {
entry:
  %next = getelementptr inbounds %work, ptr %work, i32 0, i32 3
  %count.place = getelementptr inbounds %work, ptr %work, i32 0, i32 2
  %given.place = getelementptr inbounds %work, ptr %work, i32 0, i32 1
  %count = load i64, ptr %count.place
  %given = load ptr, ptr %given.place
  %part = load ptr, ptr %work
  br label %again
again:
  %k = atomicrmw add ptr %next, i64 1 monotonic
  %more = icmp ult i64 %k, %count
  br i1 %more, label %run, label %done
run:
  call void %part(ptr %given, i64 %k)
  br label %again
done:
  ret ptr null
}
define internal void @parallel(ptr %part, ptr %given, i64 %count, i64 %threads) nounwind {
entry:
  %work = alloca %work
  %others = alloca [64 x i64]
  store ptr %part, ptr %work
  %given.place = getelementptr inbounds %work, ptr %work, i32 0, i32 1
  store ptr %given, ptr %given.place
  %count.place = getelementptr inbounds %work, ptr %work, i32 0, i32 2
  store i64 %count, ptr %count.place
  %next = getelementptr inbounds %work, ptr %work, i32 0, i32 3
  store atomic i64 0, ptr %next seq_cst, align 8
  br label %start
start:
  %made = phi i64 [ 0, %entry ], [ %made.1, %made.one ]
  %reached = add i64 %made, 1
  %enough = icmp uge i64 %reached, %threads
  br i1 %enough, label %own, label %make
make:
  %slot = getelementptr inbounds [64 x i64], ptr %others, i64 0, i64 %made
  %failed = call i32 @pthread_create(ptr %slot, ptr null, ptr @share, ptr %work)
  %fine = icmp eq i32 %failed, 0
  br i1 %fine, label %made.one, label %own
made.one:
  %made.1 = add i64 %made, 1
  br label %start
own:
  %alone = call ptr @share(ptr %work)
  br label %wait
wait:
  %k = phi i64 [ 0, %own ], [ %k.1, %join ]
  %left = icmp ult i64 %k, %made
  br i1 %left, label %join, label %end
join:
  %which = getelementptr inbounds [64 x i64], ptr %others, i64 0, i64 %k
  %id = load i64, ptr %which
  %joined = call i32 @pthread_join(i64 %id, ptr null)
  %k.1 = add i64 %k, 1
  br label %wait
end:
  ret void
}
"""


def count() -> int:
    """Return how many threads large kernels use: CORRENTE_THREADS, or the cores there are."""
    told = os.environ.get("CORRENTE_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(64, int(told) if told.isdigit() else cores or 1))


def part(
    kernel: str, arity: int, size: int, parts: int, moved: dict[int, int], module: Module
) -> str:
    """Write the function that runs one part of a kernel, from its pointers and the part's number.

    `size` is the length of the axis that is parted; `moved` gives the bytes by which a pointer
    moves on from part to part.
    """
    module.define("parallel", lambda: _SHARE)
    code = Code(module)
    begin = code.let(f"udiv i64 {code.let(f'mul i64 %part, {size}')}, {parts}")
    following = code.let("add i64 %part, 1")
    end = code.let(f"udiv i64 {code.let(f'mul i64 {following}, {size}')}, {parts}")
    given = []
    for k in range(arity):
        pointer = code.let(f"load ptr, ptr {code.at('%given', 8 * k)}")
        if k in moved:
            pointer = code.at(pointer, code.let(f"mul i64 %part, {moved[k]}"))
        given.append(f"ptr {pointer}")
    code.add(f"call void @{kernel}({', '.join(given)}, i64 {begin}, i64 {end})")
    code.add("ret void")
    return code.text(f"define internal void @{kernel}.part(ptr %given, i64 %part) nounwind")
