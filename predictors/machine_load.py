"""Other work on the machine while something is timed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

# Below this many busy cores the load is that of an idle system.
NOTICEABLE_CORES = 0.2


@dataclass(frozen=True, slots=True)
class LoadSnapshot:
    """CPU seconds since the start of the system.

    Attributes:
        wall_s: a clock's reading. busy_s: of all cores together. own_s: of this process.
        processes: number -> (name, CPU seconds) of the others.
    """

    wall_s: float
    busy_s: float
    own_s: float
    processes: dict[int, tuple[str, float]]


def load_snapshot() -> LoadSnapshot:
    """Return the CPU seconds used until now; time that a hypervisor took away counts as busy."""
    import psutil

    total = psutil.cpu_times()
    own = psutil.Process().cpu_times()
    processes = {}
    for process in psutil.process_iter(["pid", "name", "cpu_times"]):
        used = process.info["cpu_times"]
        if used is not None and process.info["pid"] != os.getpid():
            processes[process.info["pid"]] = (process.info["name"], used.user + used.system)
    busy = sum(total) - total.idle - getattr(total, "iowait", 0.0)
    # Linux counts guests' time in user time as well.
    busy -= getattr(total, "guest", 0.0) + getattr(total, "guest_nice", 0.0)
    return LoadSnapshot(time.monotonic(), busy, own.user + own.system, processes)


def other_load(before: LoadSnapshot, after: LoadSnapshot) -> str:
    """Return what else ran between two snapshots, as "other work used 0.9 cores (busiest: pytest, 0.8)", or ""."""
    seconds = max(after.wall_s - before.wall_s, 1e-9)
    cores = (after.busy_s - before.busy_s - (after.own_s - before.own_s)) / seconds
    if cores < NOTICEABLE_CORES:
        return ""
    unused = ("", 0.0)
    shares = (
        ((total - before.processes.get(number, unused)[1]) / seconds, name)
        for number, (name, total) in after.processes.items()
    )
    share, name = max(shares, default=(0.0, ""))
    busiest = f" (busiest: {name}, {share:.1f})" if share >= NOTICEABLE_CORES else ""
    return f"other work used {cores:.1f} cores{busiest}"
