"""Kernels timed on a GPU that is here, and how well a model of other cards' timings predicts them."""

from __future__ import annotations

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

# Kernels that take longer, or more memory, by the data sheet alone are not drawn.
LONGEST_MS, LARGEST_SHARE = 100.0, 0.2


@benchmarks.register("present_kernels")
def run(
    folder: Path, target: str = "h100:fp32", train: str = "", kernels: int = 200, table: str = "", seed: int = 0
) -> dict[str, Any]:
    """Time kernels of shapes that other cards were timed on, on a GPU that is present, and predict them from those.

    Args:
        folder: holds neusight/kernels.parquet and neusight/gpu_specs.csv.
        target: the GPU and the precision; no rows of it are learnt from.
        train: cards to learn from, by commas, as P4,A100-40G; by default all.
        kernels: how many of each operator, drawn at random from the shapes in the table.
        table: a .parquet or .csv file to write the timed kernels to.
        seed: of the draw and of the fit.
    """
    import torch

    from experiments.measuring import require_present
    from predictors.kernel_card import card_of
    from predictors.kernel_model import KernelModel
    from predictors.kernel_table import card_named, known_cards, read_kernels, rows_of
    from predictors.kernel_timing import time_kernels
    from predictors.target import target as make_target

    if kernels < 2:
        raise UsageError(f"kernels is {kernels}: give at least 2 of each operator")
    where = make_target(target)
    card, place = card_of(where), folder / "neusight"
    known = known_cards(place)
    trained = [card_named(query.strip(), known) for query in train.split(",")] if train else known
    device = torch.device(require_present(where))
    tables = read_kernels(place, trained)
    drawn = _draw(place, card, where.device.memory_gib, kernels, seed)
    timed = time_kernels(drawn, device, where.precision)
    if table:
        _write(timed, Path(table), where.name)
    model = KernelModel.fit([each for rows in tables.values() for each in rows], "benchmark", seed)
    errors = [
        error_row(model, rows, rows.latency_ms > 0, trained)
        for rows in rows_of(timed, card)
        if rows.group in model.groups
    ]
    return {
        "benchmark": "present_kernels",
        "target": where.name,
        "num_kernels": len(timed),
        "protocol": "one eager call between two CUDA events, median of 3 to 25 runs after 3",
        "errors": errors,
        "operators": operator_means(errors),
        "machine": machine(),
        "versions": versions(),
    }


def _draw(place: Path, card: Card, memory_gib: float, num_each: int, seed: int) -> pd.DataFrame:
    """Return ``num_each`` distinct kernels of each operator that are neither too long nor too large for the card."""
    import pandas as pd

    from predictors.kernel_table import COLUMNS, group_shapes
    from predictors.kernel_terms import GROUPS, group_of, kernel_terms, roofline_ms

    columns = [name for name in COLUMNS if name not in ("device", "latency_ms")]
    every = pd.read_parquet(place / "kernels.parquet", columns=columns).drop_duplicates()
    every["op"] = every["op"].astype(str)
    found = []
    for group in GROUPS:
        rows = every[every["op"].map(group_of) == group].reset_index(drop=True)
        if not len(rows):
            continue
        shapes = group_shapes(group, rows)
        num_bytes = kernel_terms(group, shapes, card).memory_s * card.bytes_per_s
        fits = (roofline_ms(group, shapes, card) <= LONGEST_MS) & (num_bytes <= LARGEST_SHARE * memory_gib * 2**30)
        rng = np.random.default_rng([seed, len(found)])
        found.append(rows[fits].sample(min(num_each, int(fits.sum())), random_state=rng))
    return pd.concat(found, ignore_index=True)


def _write(timed: pd.DataFrame, path: Path, device: str) -> None:
    from experiments.measurement_rows import write_rows

    known = {"device": device, "obtained": "measured", "versions": {**machine(), **versions()}}
    write_rows([{**row, **known} for row in timed.to_dict("records")], path)
