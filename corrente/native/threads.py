"""Threads: large kernels are parted by their shapes alone, and the parts shared out to cores.

How a kernel is parted never depends on how many threads there are, so neither does the result.
The threads are made once in a process and wait for work; after a fork the child makes its own.
"""

from __future__ import annotations

import os

from corrente.native.code import Code
from corrente.native.vectors import Module

PARTS = 16
"""Into how many parts a large kernel is cut."""
LARGE = 200_000
"""Elements times steps from which on parting pays for waking a thread (measured)."""

PARALLEL = "corrente_parallel"
"""The function that shares parts out: (part, given, how many parts, how many threads)."""

COUNTED, SET = "corrente_blas_count", "corrente_blas_set"
"""Where the pool finds the functions that tell and set how many threads BLAS uses, or null."""

# A ticket is the number of the job in its upper half and the next part in its lower one, so that
# a thread that wakes late takes no part of a job it does not know.
POOL = f"""
%job = type {{ ptr, ptr, i64, i64 }}
@mutex = internal global [64 x i8] zeroinitializer, align 64
@wake = internal global [64 x i8] zeroinitializer, align 64
@job = internal global %job zeroinitializer, align 64
@number = internal global i64 0, align 64
@ticket = internal global i64 0, align 64
@finished = internal global i64 0, align 64
@busy = internal global i8 0, align 64
@workers = internal global i64 0
@process = internal global i32 0
@{COUNTED} = global ptr null
@{SET} = global ptr null
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(i64)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @getpid()
declare i32 @sched_yield()
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.x86.sse2.pause()

define internal void @share(ptr %part, ptr %given, i64 %count, i64 %number) nounwind {{
entry:
  %mine = shl i64 %number, 32
  br label %again
again:
  %seen = load atomic i64, ptr @ticket acquire, align 8
  %whose = and i64 %seen, -4294967296
  %ours = icmp eq i64 %whose, %mine
  br i1 %ours, label %look, label %done
look:
  %k = and i64 %seen, 4294967295
  %left = icmp ult i64 %k, %count
  br i1 %left, label %take, label %done
take:
  %following = add i64 %seen, 1
  %pair = cmpxchg ptr @ticket, i64 %seen, i64 %following acq_rel acquire
  %taken = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %taken, label %run, label %again
run:
  call void %part(ptr %given, i64 %k)
  %before = atomicrmw add ptr @finished, i64 1 release
  br label %again
done:
  ret void
}}

define internal ptr @worker(ptr %first) nounwind {{
entry:
  %begin = ptrtoint ptr %first to i64
  br label %idle
idle:
  %known = phi i64 [ %begin, %entry ], [ %now, %work ]
  br label %spin
spin:
  %turn = phi i64 [ 0, %idle ], [ %turn.1, %spin.on ]
  %fresh = load atomic i64, ptr @number acquire, align 8
  %changed = icmp ne i64 %fresh, %known
  br i1 %changed, label %enter, label %spin.on
spin.on:
  call void @llvm.x86.sse2.pause()
  %turn.1 = add i64 %turn, 1
  %tired = icmp ugt i64 %turn.1, 1500
  br i1 %tired, label %enter, label %spin
enter:
  call i32 @pthread_mutex_lock(ptr @mutex)
  br label %check
check:
  %now = load atomic i64, ptr @number acquire, align 8
  %same = icmp eq i64 %now, %known
  br i1 %same, label %wait, label %work
wait:
  call i32 @pthread_cond_wait(ptr @wake, ptr @mutex)
  br label %check
work:
  %part = load ptr, ptr @job
  %given = load ptr, ptr getelementptr inbounds (i8, ptr @job, i64 8)
  %count = load i64, ptr getelementptr inbounds (i8, ptr @job, i64 16)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  call void @share(ptr %part, ptr %given, i64 %count, i64 %now)
  br label %idle
}}

define internal void @alone(ptr %part, ptr %given, i64 %count) nounwind {{
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.1, %run ]
  %more = icmp ult i64 %k, %count
  br i1 %more, label %run, label %done
run:
  call void %part(ptr %given, i64 %k)
  %k.1 = add i64 %k, 1
  br label %next
done:
  ret void
}}

; the parts share the cores already: BLAS is kept to the thread that calls it, and let go again
define internal i32 @hold_blas() nounwind {{
entry:
  %counted = load ptr, ptr @{COUNTED}
  %unknown = icmp eq ptr %counted, null
  br i1 %unknown, label %nothing, label %ask
nothing:
  ret i32 0
ask:
  %now = call i32 %counted()
  %many = icmp sgt i32 %now, 1
  br i1 %many, label %hold, label %nothing
hold:
  %set = load ptr, ptr @{SET}
  call void %set(i32 1)
  ret i32 %now
}}

define internal void @release_blas(i32 %before) nounwind {{
entry:
  %held = icmp ne i32 %before, 0
  br i1 %held, label %give, label %done
give:
  %set = load ptr, ptr @{SET}
  call void %set(i32 %before)
  br label %done
done:
  ret void
}}

define void @{PARALLEL}(ptr %part, ptr %given, i64 %count, i64 %threads) nounwind {{
entry:
  %id = alloca i64
  %was = atomicrmw xchg ptr @busy, i8 1 acquire
  %taken = icmp ne i8 %was, 0
  br i1 %taken, label %serial, label %claimed
serial:
  call void @alone(ptr %part, ptr %given, i64 %count)
  ret void
claimed:
  %before = call i32 @hold_blas()
  %single = icmp ult i64 %threads, 2
  br i1 %single, label %single.handed, label %whose
single.handed:
  call void @alone(ptr %part, ptr %given, i64 %count)
  br label %end
whose:
  %process = call i32 @getpid()
  %known = load i32, ptr @process
  %child = icmp ne i32 %process, %known
  br i1 %child, label %forked, label %hire
forked:
  store i32 %process, ptr @process
  store i64 0, ptr @workers
  call void @llvm.memset.p0.i64(ptr @mutex, i8 0, i64 64, i1 false)
  call void @llvm.memset.p0.i64(ptr @wake, i8 0, i64 64, i1 false)
  br label %hire
hire:
  %have = load i64, ptr @workers
  %with.us = add i64 %have, 1
  %enough = icmp uge i64 %with.us, %threads
  br i1 %enough, label %ready, label %make
make:
  %old = load atomic i64, ptr @number acquire, align 8
  %told = inttoptr i64 %old to ptr
  %failed = call i32 @pthread_create(ptr %id, ptr null, ptr @worker, ptr %told)
  %fine = icmp eq i32 %failed, 0
  br i1 %fine, label %made, label %ready
made:
  %thread = load i64, ptr %id
  call i32 @pthread_detach(i64 %thread)
  store i64 %with.us, ptr @workers
  br label %hire
ready:
  call i32 @pthread_mutex_lock(ptr @mutex)
  %last = load i64, ptr @number
  %following = add i64 %last, 1
  %number = and i64 %following, 2147483647
  store ptr %part, ptr @job
  store ptr %given, ptr getelementptr inbounds (i8, ptr @job, i64 8)
  store i64 %count, ptr getelementptr inbounds (i8, ptr @job, i64 16)
  store atomic i64 0, ptr @finished release, align 8
  %first = shl i64 %number, 32
  store atomic i64 %first, ptr @ticket release, align 8
  store atomic i64 %number, ptr @number release, align 8
  call i32 @pthread_cond_broadcast(ptr @wake)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  call void @share(ptr %part, ptr %given, i64 %count, i64 %number)
  br label %wait
wait:
  %turns = phi i64 [ 0, %ready ], [ %turns.1, %pause ], [ 0, %yield ]
  %finished = load atomic i64, ptr @finished acquire, align 8
  %all = icmp uge i64 %finished, %count
  br i1 %all, label %end, label %pause
pause:
  call void @llvm.x86.sse2.pause()
  %turns.1 = add i64 %turns, 1
  %long = icmp ugt i64 %turns.1, 1500
  br i1 %long, label %yield, label %wait
yield:
  ; where others want the cores too, the thread we wait for may be the one that cannot run
  call i32 @sched_yield()
  br label %wait
end:
  call void @release_blas(i32 %before)
  store atomic i8 0, ptr @busy release, align 1
  ret void
}}
"""


def pool(pauses: bool) -> str:
    """Return the text of the pool, for a machine that has x86's `pause` or has not."""
    if pauses:
        return POOL
    lines = (line for line in POOL.splitlines() if "llvm.x86.sse2.pause" not in line)
    return "\n".join(lines)


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
    module.define(PARALLEL, lambda: f"declare void @{PARALLEL}(ptr, ptr, i64, i64)")
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
