"""Which count explains the latency of public networks on a device, and two scaled networks of one accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from experiments.benchmarks.transfer_tables import RunTable

COUNTS = {"macs": (0,), "activations": (1,), "parameters": (2,), "macs_and_activations": (0, 1)}
"""Columns of ``RunTable.counts``."""


@benchmarks.register("proxies")
def run(
    folder: Path,
    device: str = "rtx4090",
    first: str = "resnetrs200.tf_in1k@320",
    second: str = "tf_efficientnet_b7.aa_in1k@600",
) -> dict[str, Any]:
    """Tell how well MACs, activations and parameters explain measured latency, and hold two networks together.

    Args:
        folder: holds timm/inference.parquet and timm/imagenet.parquet.
        device: whose runs are told; empty tells all.
        first: name and image side of a network.
        second: of another.
    """
    from experiments.benchmarks.transfer_tables import read_runs

    runs = {
        name: table
        for name, table in read_runs(folder).items()
        if (name.startswith(f"{device}/") or not device) and len(table.keys)
    }
    if not runs:
        raise UsageError(f"timm/inference.parquet has no run of device {device!r}: give another, or none for all")
    accuracy = {each: _top1(folder, each) for each in (first, second)}
    return {
        "benchmark": "proxies",
        "explained": [_explained(table) for table in runs.values()],
        "pairs": [row for table in runs.values() if (row := _pair(table, accuracy)) is not None],
        "obtained": "table",
    }


def _explained(table: RunTable) -> dict[str, Any]:
    """Return R2 of log latency of an image on the logs of counts."""
    target = np.log(table.latency_ms)
    found = {name: round(r_squared(table.counts[:, columns], target), 3) for name, columns in COUNTS.items()}
    return {"run": table.name, "networks": len(target), **found}


def r_squared(inputs: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """Return the share of the variance of ``target``, (n,), that a line in ``inputs``, (n, k), explains."""
    design = np.column_stack([np.ones(len(inputs)), inputs])
    left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return float(1 - left.var() / target.var())


def _top1(folder: Path, network: str) -> float:
    """Return the ImageNet accuracy of ``model.tag@side`` in percent."""
    import pandas as pd

    try:
        table = pd.read_parquet(folder / "timm" / "imagenet.parquet", columns=["model", "img_size", "top1"])
    except (OSError, ValueError) as error:
        raise UsageError(f"can't read timm/imagenet.parquet in {folder}: {error}") from None
    model, _, side = network.partition("@")
    found = table[(table["model"] == model) & (table["img_size"].astype(str) == side)]
    if len(found) != 1:
        raise UsageError(f"timm/imagenet.parquet has {len(found)} rows of {network!r}: give MODEL.TAG@SIDE of one")
    return float(found["top1"].iloc[0])


def _pair(table: RunTable, accuracy: Mapping[str, float]) -> dict[str, Any] | None:
    """Return both networks' latency and accuracy in a run; None where it lacks one of them."""
    keys = [f"{name.partition('@')[0].partition('.')[0]}@{name.partition('@')[2]}" for name in accuracy]
    rows = [np.flatnonzero(table.keys == key) for key in keys]
    if not all(len(each) == 1 for each in rows):
        return None
    first, second = (float(table.latency_ms[each[0]]) for each in rows)
    one, other = accuracy.values()
    return {
        "run": table.name,
        "first_top1": one,
        "second_top1": other,
        "first_images_per_s": round(1e3 / first, 1),
        "second_images_per_s": round(1e3 / second, 1),
        "first_is_faster": round(second / first, 2),
    }
