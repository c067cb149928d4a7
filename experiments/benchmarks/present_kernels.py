"""Kernels timed on a GPU that is here, and how well a model of other cards' timings predicts them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from experiments.benchmarks.kernels import error_row, operator_means
from experiments.machine import machine, versions
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from predictors.kernel_card import Card
    from predictors.kernel_model import KernelModel
    from predictors.kernel_table import KernelRows
    from predictors.target import Target

# Kernels that take longer, or more memory, by the data sheet alone are not drawn.
LONGEST_MS, LARGEST_SHARE = 100.0, 0.2


@benchmarks.register("present_kernels")
def run(
    folder: Path,
    target: str = "h100:fp32",
    train: str = "",
    rows: str = "all",
    kernels: int = 200,
    table: str = "",
    timed: str = "",
    seed: int = 0,
) -> dict[str, Any]:
    """Time kernels of shapes that other cards were timed on, on a GPU that is present, and predict them from those.

    Args:
        folder: holds neusight/kernels.parquet and neusight/gpu_specs.csv.
        target: the GPU and the precision; no rows of it are learnt from.
        train: cards to learn from, by commas, as P4,A100-40G; by default all.
        rows: which shapes are drawn: all, or test for those of the source's test split alone.
        kernels: how many of each operator, drawn at random.
        table: a .parquet or .csv file to write the timed kernels to.
        timed: a .parquet file that was written so before, to predict in place of timing.
        seed: of the draw and of the fit.
    """
    from predictors.kernel_card import card_of
    from predictors.kernel_model import KernelModel
    from predictors.kernel_table import card_named, known_cards, read_kernels, rows_of
    from predictors.target import target as make_target

    if kernels < 2 or rows not in ("all", "test"):
        raise UsageError(f"kernels is {kernels} and rows {rows!r}: give at least 2 of each operator, and all or test")
    where = make_target(target)
    card, place = card_of(where), folder / "neusight"
    known = known_cards(place)
    trained = [card_named(query.strip(), known) for query in train.split(",")] if train else known
    found = _read(Path(timed), where) if timed else _time(place, card, where, rows == "test", kernels, seed)
    if table:
        _write(found, Path(table), where.name)
    tables = read_kernels(place, trained)
    model = KernelModel.fit([each for name in trained for each in tables[name]], "benchmark", seed)
    errors = [_errors(model, each, trained) for each in rows_of(found, card) if each.group in model.groups]
    return {
        "benchmark": "present_kernels",
        "target": where.name,
        "rows": rows,
        "num_kernels": len(found),
        "protocol": "one eager call between two CUDA events, median of 3 to 25 runs after 3",
        "errors": errors,
        "operators": operator_means(errors),
        "machine": machine(),
        "versions": versions(),
    }


def _errors(model: KernelModel, rows: KernelRows, trained: Sequence[str]) -> dict[str, Any]:
    """Return the errors of a group, and what they are once the smallest kernel has told how long this host launches."""
    from predictors.kernel_table import launch_ms

    every, known = rows.latency_ms > 0, launch_ms(rows)
    found = error_row(model, rows, every, trained)
    if known is not None:
        after = error_row(model, rows, every, trained, known)
        found |= {"launch_ms": round(known, 4), "launch_known_error_percent": after["mean_error_percent"]}
    return found


def _time(place: Path, card: Card, where: Target, tested: bool, num_each: int, seed: int) -> pd.DataFrame:
    import torch

    from experiments.measuring import require_present
    from predictors.kernel_timing import time_kernels

    device = torch.device(require_present(where))
    return time_kernels(_draw(place, card, where.device.memory_gib, tested, num_each, seed), device, where.precision)


def _read(path: Path, where: Target) -> pd.DataFrame:
    """Return timed kernels of a file.

    Raises:
        UsageError: it can't be read, lacks a column, or is of another target.
    """
    import pandas as pd

    from predictors.kernel_table import COLUMNS, read_table

    table = read_table(path, pd.read_parquet, COLUMNS)
    devices = sorted(set(table["device"]))
    if devices != [where.name]:
        raise UsageError(f"{path.name} is of {', '.join(devices) or 'no device'}: give --target {' or '.join(devices)}")
    return table


def _draw(place: Path, card: Card, memory_gib: float, tested: bool, num_each: int, seed: int) -> pd.DataFrame:
    """Return ``num_each`` kernels of each operator, of those neither too long nor too large, and the smallest."""
    import pandas as pd

    from predictors.kernel_table import COLUMNS, group_shapes
    from predictors.kernel_terms import GROUPS, group_of, kernel_terms, roofline_ms
    from predictors.kernel_timing import SMALLEST

    columns = [name for name in COLUMNS if name not in ("device", "latency_ms")]
    every = pd.read_parquet(place / "kernels.parquet")
    if tested:
        every = every[every["split"].astype(str) == "test"] if "split" in every else every[:0]
        if every.empty:
            raise UsageError(f"kernels.parquet in {place} has no kernel of the test split: give --rows all")
    every = every[columns].drop_duplicates()
    every["op"] = every["op"].astype(str)
    found: list[pd.DataFrame] = []
    for group in GROUPS:
        rows = every[every["op"].map(group_of) == group].reset_index(drop=True)
        if not len(rows):
            continue
        shapes = group_shapes(group, rows)
        num_bytes = kernel_terms(group, shapes, card).memory_s * card.bytes_per_s
        fits = (roofline_ms(group, shapes, card) <= LONGEST_MS) & (num_bytes <= LARGEST_SHARE * memory_gib * 2**30)
        rng = np.random.default_rng([seed, len(found)])
        found.append(rows[fits].sample(min(num_each, int(fits.sum())), random_state=rng))
    smallest = [{"op": next(iter(GROUPS[group])), **SMALLEST} for group in sorted({group_of(op) for op in every["op"]})]
    return pd.concat([pd.DataFrame(smallest), *found], ignore_index=True)


def _write(timed: pd.DataFrame, path: Path, device: str) -> None:
    from experiments.measurement_rows import write_rows

    known = {"device": device, "obtained": "measured", "versions": {**machine(), **versions()}}
    rows: list[dict[str, Any]] = [
        {**{str(key): value for key, value in row.items()}, **known} for row in timed.to_dict("records")
    ]
    write_rows(rows, path)
