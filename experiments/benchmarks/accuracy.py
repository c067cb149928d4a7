"""The accuracy of whole networks from few that were evaluated, over public tables.

``ofa``: ImageNet top-1 of Once-for-All networks, DIR/ofa/accuracy.parquet; ``nb201``: test accuracies after 200 epochs,
DIR/nb201/architectures.parquet. All other networks of the table are predicted.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks import benchmarks
from experiments.benchmarks.tabular import read_architectures, read_parquet, require_columns
from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
OFA_COLUMN = "imagenet_top1"
NB201_COLUMNS = ("test_acc_cifar10", "test_acc_cifar100", "test_acc_imagenet16_120")


@benchmarks.register("accuracy")
def run(directory: Path, space: str = "ofa", samples: int = 250, seeds: int = 10) -> dict[str, Any]:
    """Check the accuracy predictor against published tables: rank correlation, error and interval, by data set.

    Args:
        directory: holds ofa/accuracy.parquet or nb201/architectures.parquet.
        space: ofa or nb201.
        samples: networks whose accuracy is known.
        seeds: draws of samples.

    Raises:
        UsageError: a table or a setting that can't be; the message counts and names.
    """
    from experiments.machine import machine, versions

    if samples < 1 or seeds < 1:
        raise UsageError(f"samples is {samples} and seeds is {seeds}: give at least 1 of each")
    one_hot, costs, columns = _read(directory, space)
    rows = [{"data": name, **_evaluate(one_hot, costs, values, samples, seeds)} for name, values in columns.items()]
    return {
        "benchmark": "accuracy",
        "space": space,
        "num_networks": len(one_hot),
        "samples": samples,
        "seeds": seeds,
        "obtained": "predicted from table values",
        "data": rows,
        "machine": machine(),
        "versions": versions(),
    }


def _evaluate(one_hot: Array, costs: Array, accuracy: Array, samples: int, seeds: int) -> dict[str, Any]:
    """Return mean figures over seeds on the networks that were not sampled."""
    from experiments.benchmarks.protocol import over_seeds, scores
    from predictors.accuracy import AccuracyModel

    if samples >= len(accuracy):
        raise UsageError(f"samples is {samples}: give fewer than the {len(accuracy)} distinct networks there are")
    found, times = [], []
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(accuracy))
        known, rest = order[:samples], order[samples:]
        start = time.perf_counter()
        model = AccuracyModel.fit(one_hot[known], costs[known], accuracy[known])
        middle = time.perf_counter()
        mean, deviation = model.predict(one_hot[rest], costs[rest])
        times.append((middle - start, time.perf_counter() - middle))
        errors = {"mean_error_points": float(np.mean(np.abs(mean - accuracy[rest])))}
        found.append({**scores(accuracy[rest], mean, deviation), **errors})
    fit_s, predict_s = np.median(np.array(times), axis=0)
    return {**over_seeds(found), "fit_ms": round(1e3 * float(fit_s), 1), "predict_ms": round(1e3 * float(predict_s), 1)}


def _read(directory: Path, space: str) -> tuple[Array, Array, dict[str, Array]]:
    """Return one-hot choices and costs of the distinct networks, and their accuracies by data set."""
    from experiments.benchmarks.tabular_spaces import read_space

    columns: tuple[str, ...]
    if space == "ofa":
        table, columns = read_parquet(directory / "ofa" / "accuracy.parquet"), (OFA_COLUMN,)
    elif space == "nb201":
        table, columns = read_architectures(directory, "nb201"), NB201_COLUMNS
    else:
        raise unknown("space of accuracies", space, ("ofa", "nb201"))
    require_columns(table, columns, f"the table of {space}")
    _refuse_bad(table, columns, space)
    features, genes = read_space(space, table)
    _, first = np.unique(genes, axis=0, return_index=True)
    # Searches visit a network more than once: its first visit counts.
    first = np.sort(first)
    inputs = features(genes[first])
    costs = np.hstack([inputs[name] for name in ("totals", "needed_totals") if name in inputs])
    accuracies = {name: table[name].to_numpy(dtype=np.float64)[first] for name in columns}
    return inputs["one_hot"], costs, accuracies


def _refuse_bad(table: pd.DataFrame, columns: tuple[str, ...], space: str) -> None:
    for name in columns:
        values = table[name].to_numpy(dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(values) | (values <= 0) | (values > 100))
        if len(wrong):
            raise UsageError(
                f"{space}: {len(wrong)} of {len(values)} rows of {name} are no percentage (first: row {wrong[0]}): "
                "mend the table"
            )
