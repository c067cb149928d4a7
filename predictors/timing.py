"""How long something takes on the device that is here: warm-up until it settles, then median, spread and doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from predictors.clocks import clock_versions, throttling
from predictors.cores import pinned_cores
from predictors.energy import energy_counter
from predictors.machine_load import LoadSnapshot, load_snapshot, other_load
from predictors.measurement import Measurement
from predictors.runtime import pinned_threads, software_versions
from predictors.stopwatch import Stopwatch, cuda_stopwatch, wall_stopwatch


@dataclass(frozen=True, slots=True)
class TimingPlan:
    """How long to warm up and to measure.

    Attributes:
        window: runs whose median is compared with the median of the window before.
        tolerance: relative difference of medians under which they count as equal.
        max_warmup_runs, max_warmup_s: warm-up ends there even if it has not settled.
        min_runs, max_runs, budget_s: measured runs: as many as fit in the budget, within the two.
    """

    window: int = 5
    tolerance: float = 0.05
    max_warmup_runs: int = 60
    max_warmup_s: float = 5.0
    min_runs: int = 20
    max_runs: int = 200
    budget_s: float = 1.0


DEFAULT_PLAN = TimingPlan()


@dataclass(frozen=True)
class Timing:
    """Durations of single runs.

    Attributes:
        median_ms, p95_ms: of the measured runs. spread_ms: half their interquartile range.
        num_runs, warmup_runs: how many were measured and how many ran before.
        stable: whether the warm-up settled and the second half of the runs is as fast as the first.
        notes: why a reader should doubt it: not settled, slowed down, other work on the machine.
        versions: software, threads, clocks, precision and memory format.
        energy_mj: millijoules of one run, other work on the device included; None where no driver tells.
    """

    median_ms: float
    spread_ms: float
    p95_ms: float
    num_runs: int
    warmup_runs: int
    stable: bool
    notes: tuple[str, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    energy_mj: float | None = None

    def measurement(self, target: str) -> Measurement:
        """Return the median as a measurement on ``target``; the notes stand among its versions."""
        versions = {**self.versions, **({"notes": "; ".join(self.notes)} if self.notes else {})}
        return Measurement("latency_ms", self.median_ms, "ms", "measured", self.spread_ms, target, versions)


def time_callable(
    function: Callable[[], object],
    device_kind: Literal["cpu", "gpu"] = "cpu",
    *,
    plan: TimingPlan = DEFAULT_PLAN,
    num_threads: int | None = None,
    stopwatch: Stopwatch | None = None,
    snapshot: Callable[[], LoadSnapshot] = load_snapshot,
) -> Timing:
    """Return how long one call of ``function`` takes.

    Args:
        function: what is timed.
        device_kind: where it computes: wall clock on a CPU, CUDA events on a GPU.
        plan: how long to warm up and to measure.
        num_threads: torch threads meanwhile; by default those that torch has.
        stopwatch: replaces the one of ``device_kind``.
        snapshot: reads the machine's load before and after.
    """
    measure = stopwatch or (cuda_stopwatch() if device_kind == "gpu" else wall_stopwatch())
    with pinned_threads(num_threads) as threads, pinned_cores(threads) as cores:
        before = snapshot()
        warmup, settled = _warm_up(measure, function, plan)
        expected_ms = max(float(np.median(warmup[-plan.window :])), 1e-6)
        num_runs = int(np.clip(plan.budget_s * 1e3 / expected_ms, plan.min_runs, plan.max_runs))
        counter = energy_counter(device_kind)
        joules = counter() if counter else 0.0
        runs = np.array([measure(function) for _ in range(num_runs)])
        energy_mj = (counter() - joules) * 1e3 / num_runs if counter else None
        load, held_back = other_load(before, snapshot()), throttling(device_kind)
        versions = {**software_versions(device_kind), **clock_versions(device_kind)}
    if cores:
        versions["cores"] = ",".join(map(str, cores))
    drift = float(np.median(runs[num_runs // 2 :]) / max(np.median(runs[: num_runs // 2]), 1e-9)) - 1
    low, median, high, p95 = np.percentile(runs, (25, 50, 75, 95))
    notes = (
        "" if settled else f"the warm-up of {len(warmup)} runs did not settle within {plan.tolerance:.0%}",
        f"the second half was {drift:.0%} slower: throttling or other work" if drift > plan.tolerance else "",
        held_back,
        load,
    )
    return Timing(
        median_ms=float(median),
        spread_ms=float(high - low) / 2,
        p95_ms=float(p95),
        num_runs=num_runs,
        warmup_runs=len(warmup),
        stable=settled and abs(drift) <= plan.tolerance,
        notes=tuple(filter(None, notes)),
        versions=versions,
        energy_mj=energy_mj,
    )


def _warm_up(measure: Stopwatch, function: Callable[[], object], plan: TimingPlan) -> tuple[list[float], bool]:
    """Return (durations, whether the medians of the last two windows agree)."""
    runs: list[float] = []
    while len(runs) < plan.max_warmup_runs and sum(runs) < plan.max_warmup_s * 1e3:
        runs.append(measure(function))
        if len(runs) >= 2 * plan.window:
            last = float(np.median(runs[-plan.window :]))
            previous = float(np.median(runs[-2 * plan.window : -plan.window]))
            if abs(last - previous) <= plan.tolerance * max(previous, 1e-9):
                return runs, True
    return runs, False
