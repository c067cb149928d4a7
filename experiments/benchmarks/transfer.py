"""Whole networks on a GPU from another GPU and a few runs, and families never seen from no source at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    from experiments.benchmarks.transfer_tables import RunTable

Array = NDArray[np.float64]
# Mean absolute percentage errors to reach: 10 runs on the target; families never seen.
TARGET_SISTER_PERCENT, TARGET_SAMPLES = 8.5, 10
TARGET_FAMILY_PERCENT = {"eager": 22.0, "compiled": 16.0}
HELD_SHARE = 0.25
HALF_WIDTH_90 = 1.6449


@benchmarks.register("transfer")
def run(
    folder: Path,
    source: str = "rtx3090",
    target: str = "rtx4090",
    samples: str = "1,3,10,20",
    seeds: int = 10,
    all_pairs: bool = False,
    families: bool = True,
) -> dict[str, Any]:
    """Predict a card from runs on another, and families never seen without one: the errors.

    Args:
        folder: holds timm/inference.parquet.
        source: device whose networks are known.
        target: device that is predicted.
        samples: runs on the target, by commas.
        seeds: draws of the runs, and of the families held out.
        all_pairs: every pair of runs of different devices or runtimes, with 10 runs, beside source and target.
        families: whether the families never seen are reported, for each run of the target.
    """
    from experiments.benchmarks.transfer_tables import read_runs

    if seeds < 1:
        raise UsageError(f"seeds is {seeds}: give at least 1")
    counts = _samples(samples)
    runs = read_runs(folder)
    pairs = _pairs(runs, source, target)
    sister = [_sister(runs[a], runs[b], num, seeds) for a, b in pairs for num in counts]
    if all_pairs:
        sister += [_sister(runs[a], runs[b], TARGET_SAMPLES, seeds) for a, b in _other_pairs(runs, pairs)]
    names = [name for name in runs if name.split("/")[0] == target] if families else []
    return {
        "benchmark": "transfer",
        "seeds": seeds,
        "sister": sister,
        "unseen_families": [_families(runs[name], seeds) for name in names],
        "rows_without_counts": sum(each.num_left_out for each in runs.values()),
        "machine": machine(),
        "versions": versions(),
    }


def _samples(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"samples is {text!r}: give whole numbers above zero by commas, as 1,3,10")
    return [int(part) for part in parts]


def _pairs(runs: Mapping[str, RunTable], source: str, target: str) -> list[tuple[str, str]]:
    """Return the pairs of runs of the two devices that differ in the device alone."""
    devices = {name.split("/")[0] for name in runs}
    for device in (source, target):
        if device not in devices:
            raise unknown("device", device, devices)
    found = [
        (name, other)
        for name in runs
        for other in runs
        if name.split("/")[0] == source
        and other.split("/")[0] == target
        and name.split("/")[1:] == other.split("/")[1:]
    ]
    if not found or source == target:
        raise UsageError(f"source {source!r} and target {target!r} have no two runs that differ in the device alone")
    return found


def _other_pairs(runs: Mapping[str, RunTable], known: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(a, b) for a in runs for b in runs if a != b and (a, b) not in known]


def _sister(source: RunTable, target: RunTable, num: int, seeds: int) -> dict[str, Any]:
    """Return mean and spread over seeds of one pair's error with ``num`` runs, the one constant's beside it."""
    from predictors.sister import SisterModel, sister_features

    keys = np.intersect1d(source.keys, target.keys)
    a, b = source.rows_of(keys), target.rows_of(keys)
    source_ms, target_ms = source.latency_ms[a], target.latency_ms[b]
    features = sister_features(source.macs[a], source_ms)
    errors, constants, coverage = [], [], []
    for seed in range(seeds):
        chosen = np.random.default_rng(seed).choice(len(keys), num, replace=False)
        rest = np.setdiff1d(np.arange(len(keys)), chosen)
        model = SisterModel.fit(source_ms[chosen], features[chosen], target_ms[chosen], features)
        mean, deviation = model.predict(source_ms[rest], features[rest])
        errors.append(_percent(mean, target_ms[rest]))
        ratio = float(np.exp(np.median(np.log(target_ms[chosen] / source_ms[chosen]))))
        constants.append(_percent(ratio * source_ms[rest], target_ms[rest]))
        coverage.append(float(np.mean(np.abs(mean - target_ms[rest]) <= HALF_WIDTH_90 * deviation)))
    return {
        "source": source.name,
        "target": target.name,
        "num_networks": len(keys),
        "samples": num,
        "error_percent": round(float(np.mean(errors)), 2),
        "error_sd": round(float(np.std(errors)), 2),
        "constant_error_percent": round(float(np.mean(constants)), 2),
        "best_constant_percent": round(_best_constant(source_ms, target_ms), 2),
        "coverage_90_percent": round(100 * float(np.mean(coverage)), 1),
        "met": float(np.mean(errors)) <= TARGET_SISTER_PERCENT if num == TARGET_SAMPLES else None,
    }


def _families(table: RunTable, seeds: int) -> dict[str, Any]:
    """Return mean and spread over seeds of the error on a quarter of the families, none of them seen."""
    from experiments.benchmarks.transfer_tables import analytic_ms
    from predictors.counts_latency import CountsLatency

    runtime = table.name.split("/")[-1]
    layered = analytic_ms(table)
    # Compiled, an analytic latency errs as much as counts do.
    known = layered if runtime == "eager" else np.full(len(layered), np.nan)
    names = np.unique(table.families)
    errors, trends, coverage = [], [], []
    for seed in range(seeds):
        held_names = np.random.default_rng(seed).permutation(names)[: int(HELD_SHARE * len(names))]
        held = np.isin(table.families, held_names)
        model = CountsLatency.fit(
            table.counts[~held],
            table.ratios[~held],
            table.kinds[~held],
            table.latency_ms[~held],
            table.families[~held].tolist(),
            seed,
            known[~held],
        )
        mean, deviation = model.predict(table.counts[held], table.ratios[held], table.kinds[held], known[held])
        actual = table.latency_ms[held]
        errors.append(_percent(mean, actual))
        coverage.append(float(np.mean(np.abs(mean - actual) <= HALF_WIDTH_90 * deviation)))
        trends.append(_percent(_linear(table, ~held, held), actual))
    return {
        "run": table.name,
        "num_networks": len(table.keys),
        "num_families": len(names),
        "error_percent": round(float(np.mean(errors)), 2),
        "error_sd": round(float(np.std(errors)), 2),
        "linear_counts_percent": round(float(np.mean(trends)), 2),
        **_layered(layered, table.latency_ms),
        "coverage_90_percent": round(100 * float(np.mean(coverage)), 1),
        "target_percent": TARGET_FAMILY_PERCENT[runtime],
        "met": float(np.mean(errors)) <= TARGET_FAMILY_PERCENT[runtime],
    }


def _layered(analytic: Array, actual: Array) -> dict[str, Any]:
    """Return how far the analytic latency, which nothing was measured for, is from the truth."""
    known = np.isfinite(analytic)
    if not known.any():
        return {"num_analytic": 0}
    ratio = analytic[known] / actual[known]
    return {
        "num_analytic": int(known.sum()),
        "analytic_error_percent": round(_percent(analytic[known], actual[known]), 1),
        "analytic_median_ratio": round(float(np.median(ratio)), 3),
    }


def _linear(table: RunTable, seen: NDArray[np.bool_], held: NDArray[np.bool_]) -> Array:
    """Return the least squares of log latency on the logs of MACs, activations and parameters: counts alone."""
    matrix = np.column_stack([np.ones(len(table.keys)), table.counts[:, :3]])
    found, *_ = np.linalg.lstsq(matrix[seen], np.log(table.latency_ms[seen]), rcond=None)
    return np.asarray(np.exp(matrix[held] @ found))


def _best_constant(source_ms: Array, target_ms: Array) -> float:
    """Return the least error in % that any one ratio reaches: the median of ratios, weighted by source over target."""
    ratio = target_ms / source_ms
    order = np.argsort(ratio)
    share = np.cumsum(1 / ratio[order])
    best = ratio[order][np.searchsorted(share, share[-1] / 2)]
    return _percent(best * source_ms, target_ms)


def _percent(predicted: Array, actual: Array) -> float:
    return 100 * float(np.mean(np.abs(predicted / actual - 1)))
