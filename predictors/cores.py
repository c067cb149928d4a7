"""Threads held on cores of their own while something is timed on a CPU."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WATCH_S = 0.05


@contextmanager
def pinned_cores(num_cores: int) -> Iterator[tuple[int, ...]]:
    """Hold every thread of this process on the ``num_cores`` idlest cores; it yields them, or () where it can't.

    There is nothing to choose when the process may use no more cores than that. Threads that are born meanwhile stay on
    the cores of the thread that started them.
    """
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) <= num_cores:
        yield ()
        return
    before = {thread: os.sched_getaffinity(thread) for thread in _threads()}
    cores = _idlest(sorted(os.sched_getaffinity(0)), num_cores)
    _pin({thread: set(cores) for thread in before})
    try:
        yield cores
    finally:
        own = os.sched_getaffinity(0)
        everywhere = before.get(_main_thread(), own)
        _pin({thread: before.get(thread, everywhere) for thread in _threads()})


def _idlest(cores: list[int], num: int) -> tuple[int, ...]:
    """Return the cores that were idle the longest during a short watch."""
    import psutil

    before = psutil.cpu_times(percpu=True)
    time.sleep(WATCH_S)
    after = psutil.cpu_times(percpu=True)
    idle = {core: after[core].idle - before[core].idle for core in cores if core < len(after)}
    return tuple(sorted(sorted(cores, key=lambda core: -idle.get(core, 0.0))[:num]))


def _threads() -> list[int]:
    try:
        return [int(entry.name) for entry in Path("/proc/self/task").iterdir()]
    except OSError:
        return [_main_thread()]


def _main_thread() -> int:
    return os.getpid()


def _pin(cores: dict[int, set[int]]) -> None:
    for thread, allowed in cores.items():
        try:
            os.sched_setaffinity(thread, allowed)
        except OSError:
            # The thread ended between the listing and now.
            continue
