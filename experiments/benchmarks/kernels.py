"""How well single kernels are predicted on cards never seen, from timings on other cards and from data sheets."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from predictors.kernel_model import KernelModel
    from predictors.kernel_table import KernelRows

# Mean absolute error in % per operator on cards never seen: NeuSight's (ASPLOS 2025); conv2d has no published one.
TARGET_PERCENT = {
    "bmm": 13.8,
    "linear": 13.9,
    "elementwise": 19.3,
    "softmax": 13.9,
    "layer_norm": 56.7,
    "conv2d": 20.0,
}


@benchmarks.register("kernels")
def run(folder: Path, train: str = "", test: str = "", rows: str = "all", seed: int = 0) -> dict[str, Any]:
    """Predict kernel times on cards that the model did not see: each operator's error, the bare roofline's beside it.

    Args:
        folder: holds neusight/kernels.parquet and neusight/gpu_specs.csv.
        train: cards to learn from, by commas, as P4,A100-40G; by default all others.
        test: cards to predict, by commas; without train and test each card is left out in turn.
        rows: which rows of the cards tested count: all, or test for those of the source's test split alone.
        seed: of the fit.
    """
    from predictors.kernel_table import read_kernels

    if rows not in ("all", "test"):
        raise UsageError(f"rows is {rows!r}: allowed are all and test")
    place = folder / "neusight"
    splits = _splits(place, train, test)
    tables = read_kernels(place, sorted({name for known, tested in splits for name in (*known, *tested)}))
    start = time.perf_counter()
    errors = [row for known, tested in splits for row in _errors(tables, known, tested, rows == "test", seed)]
    return {
        "benchmark": "kernels",
        "rows": rows,
        "errors": errors,
        "operators": operator_means(errors),
        "floor": _floor(tables),
        "fit_and_predict_s": round(time.perf_counter() - start, 1),
        "machine": machine(),
        "versions": versions(),
    }


def _splits(place: Path, train: str, test: str) -> list[tuple[list[str], list[str]]]:
    """Return (cards trained on, cards tested) of each fit."""
    from predictors.kernel_table import card_named, known_cards

    known = known_cards(place)
    chosen = [[card_named(query.strip(), known) for query in text.split(",")] if text else [] for text in (train, test)]
    both = sorted(set(chosen[0]) & set(chosen[1]))
    if both:
        raise UsageError(f"device {both[0]!r} stands in train and in test: a card tested must be new to the model")
    if not train and not test:
        return [([other for other in known if other != name], [name]) for name in known]
    trained = chosen[0] or [name for name in known if name not in chosen[1]]
    tested = chosen[1] or [name for name in known if name not in trained]
    if len(trained) < 2 or not tested:
        raise UsageError(f"train has {len(trained)} cards and test {len(tested)}: give at least 2 and 1")
    return [(trained, tested)]


def _errors(
    tables: Mapping[str, Sequence[KernelRows]], known: Sequence[str], tested: Sequence[str], split_only: bool, seed: int
) -> list[dict[str, Any]]:
    from predictors.kernel_model import KernelModel

    model = KernelModel.fit([each for name in known for each in tables[name]], "benchmark", seed)
    found = []
    for name in tested:
        for each in tables[name]:
            kept = each.tested if split_only else each.latency_ms > 0
            if each.group in model.groups and kept.any():
                found.append(error_row(model, each, kept, known))
    return found


def error_row(
    model: KernelModel, rows: KernelRows, kept: Any, known: Sequence[str], launch_ms: float | None = None
) -> dict[str, Any]:
    """Return the errors of a model that learnt from the cards ``known`` on the rows ``kept`` of another card."""
    import numpy as np
    from scipy.stats import spearmanr

    from predictors.kernel_terms import roofline_ms

    shapes = {name: values[kept] for name, values in rows.shapes.items()}
    actual = rows.latency_ms[kept]
    predicted, deviation = model.predict(rows.group, shapes, rows.card, launch_ms)
    error = 100 * np.abs(predicted / actual - 1)
    bare = 100 * np.abs(roofline_ms(rows.group, shapes, rows.card) / actual - 1)
    inside = np.abs(predicted - actual) <= 1.6449 * deviation
    return {
        "operator": rows.group,
        "device": rows.card.name,
        "trained_on": len(known),
        "num_kernels": len(actual),
        "mean_error_percent": round(float(error.mean()), 1),
        "median_error_percent": round(float(np.median(error)), 1),
        "spearman": round(float(spearmanr(predicted, actual).statistic), 4),
        "roofline_error_percent": round(float(bare.mean()), 1),
        "coverage_90_percent": round(100 * float(inside.mean()), 1),
    }


def operator_means(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each operator's mean over cards beside its target."""
    found = []
    for operator, target in TARGET_PERCENT.items():
        rows = [row for row in errors if row["operator"] == operator]
        if rows:
            mean = sum(row["mean_error_percent"] for row in rows) / len(rows)
            bare = sum(row["roofline_error_percent"] for row in rows) / len(rows)
            found.append(
                {
                    "operator": operator,
                    "num_devices": len(rows),
                    "mean_error_percent": round(mean, 1),
                    "roofline_error_percent": round(bare, 1),
                    "target_percent": target,
                    "met": mean <= target,
                }
            )
    return found


def _floor(tables: Mapping[str, Sequence[KernelRows]]) -> list[dict[str, Any]]:
    """Return, per operator, the mean deviation of repeated rows from their median: no model errs less."""
    found = []
    for operator in TARGET_PERCENT:
        rows = [each for table in tables.values() for each in table if each.group == operator]
        spreads = [each.spread for each in rows if not math.isnan(each.spread)]
        repeats = sum(each.num_repeats for each in rows)
        mean = round(100 * sum(spreads) / len(spreads), 2) if spreads else None
        found.append({"operator": operator, "num_repeats": repeats, "mean_deviation_percent": mean})
    return found
