"""Latency of whole networks on a device that few were timed on: rank, error and interval over public tables.

``nas bench latency DIR --space nb201`` takes each device of DIR/nb201/latency*.parquet in turn for the target, all
others for the sources. Which networks are timed is part of the method: ``--sampler random`` draws them as the public
protocols do. All networks of the table are predicted, the samples among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks import benchmarks
from experiments.benchmarks.tabular import device_latencies, named_devices, read_architectures, read_latency_rows
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from predictors.encoding import Group
    from predictors.latency import LatencyPrior
    from search_spaces.space import Genes

Array = NDArray[np.float64]
ALL, OTHERS = "all", "others"


@dataclass
class Task:
    """The tables of one call, and the priors that were made from them."""

    groups: tuple[Group, ...]
    genes: Genes
    inputs: dict[str, Array]
    latency_ms: dict[str, Array]
    _priors: dict[Any, LatencyPrior] = field(default_factory=dict)

    def prior(self, sources: list[str]) -> LatencyPrior:
        """Return the prior that these sources give."""
        from predictors.latency import LatencyPrior

        key = tuple(sources)
        if key not in self._priors:
            tables = {name: self.latency_ms[name] for name in sources}
            self._priors[key] = LatencyPrior.of(self.groups, self.inputs, tables or None)
        return self._priors[key]

    def calibrated_prior(self, sources: list[str], sampler: str, samples: int) -> LatencyPrior:
        """Return the prior with intervals that held on each of the sources; made once for targets that share them."""
        from predictors.pseudo_targets import calibrated_prior

        key = (tuple(sources), sampler, samples)
        if key not in self._priors:
            tables = {name: self.latency_ms[name] for name in sources}
            self._priors[key] = calibrated_prior(self.prior(sources), self.inputs, tables, sampler, samples)
        return self._priors[key]

    def rows(self, indices: NDArray[np.intp]) -> dict[str, Array]:
        """Return the columns of some networks."""
        return {name: matrix[indices] for name, matrix in self.inputs.items()}


@benchmarks.register("latency")
def run(
    directory: Path,
    space: str = "nb201",
    targets: str = ALL,
    sources: str = OTHERS,
    samples: int = 20,
    seeds: int = 10,
    sampler: str = "best",
    models: str = "average",
) -> dict[str, Any]:
    """Check latency models against published tables: rank correlation, error and interval, per target and over all.

    Args:
        directory: holds SPACE/architectures.parquet and SPACE/latency*.parquet.
        space: nb201, fbnet or ofa.
        targets: device keys, comma-separated; "all" takes each in turn.
        sources: device keys with full tables, never the target itself; "others" are all but the target, "" none.
        samples: networks timed on the target.
        seeds: draws of samples.
        sampler: how they are chosen: best, variance, information, kmeans, or random as in public protocols.
        models: average (the model of this software), and to compare with: process, trees, mlp, graph.

    Raises:
        UsageError: a table or a setting that can't be; the message counts and names.
    """
    from experiments.benchmarks.latency_models import MODELS, evaluate
    from experiments.machine import machine, versions
    from predictors.machine_load import load_snapshot, other_load
    from predictors.sampling import resolved

    if samples < 1 or seeds < 1:
        raise UsageError(f"samples is {samples} and seeds is {seeds}: give at least 1 of each")
    names = named_devices(models, tuple(MODELS), "model")
    before = load_snapshot()
    task, pairs = read_task(directory, space, targets, sources)
    rows = [
        {"target": target, "model": name, **evaluate(name, task, target, others, samples, seeds, sampler)}
        for name in names
        for target, others in pairs
    ]
    return {
        "benchmark": "latency",
        "space": space,
        "num_networks": len(next(iter(task.latency_ms.values()))),
        "samples": samples,
        "seeds": seeds,
        "sampler": resolved(sampler, samples),
        "sources": dict(pairs),
        "obtained": "predicted from table values",
        "targets": rows,
        "mean": [{"model": name, **_mean(rows, name)} for name in names],
        "other_work": other_load(before, load_snapshot()),
        "machine": machine(),
        "versions": versions(),
    }


def _mean(rows: list[dict[str, Any]], model: str) -> dict[str, float]:
    from experiments.benchmarks.protocol import over_targets

    return over_targets([row for row in rows if row["model"] == model])


def read_task(directory: Path, space: str, targets: str, sources: str) -> tuple[Task, list[tuple[str, list[str]]]]:
    """Return the checked tables of a call, and each target with its sources."""
    from experiments.benchmarks.tabular_spaces import read_space

    architectures = read_architectures(directory, space)
    rows = read_latency_rows(directory, space)
    known = sorted(rows.device_key.unique())
    goals = known if targets == ALL else named_devices(targets, known, "target device")
    if not goals:
        raise UsageError(f"targets is empty: give device keys or {ALL!r}: {', '.join(known)}")
    given = known if sources == OTHERS else named_devices(sources, known, "source device")
    if sources != OTHERS and (both := sorted(set(goals) & set(given))):
        raise UsageError(f"{', '.join(both)} can't be target and source: leave it out of one of them")
    given = [name for name in given if targets == ALL or name not in goals]
    used = sorted({*goals, *given})
    tables = {device: device_latencies(rows, device, architectures, space) for device in used}
    features, genes = read_space(space, architectures)
    task = Task(features.groups, genes, features(genes), tables)
    return task, [(goal, [name for name in given if name != goal]) for goal in goals]
