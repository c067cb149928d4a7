"""Tables of single-kernel timings and of card facts, in the layout of NeuSight's data, checked before use.

``kernels.parquet``: op, device, latency_ms and the shape columns of the operator. ``gpu_specs.csv``:
Device, Mem_Bw (GB/s), Num_Sm, Core_Per_SM, L2Cache (MiB), SingleFLOPs (GFLOP/s), file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from predictors.kernel_card import Card, chip_facts, words
from predictors.kernel_terms import GROUPS, SHAPES, Shapes, group_of, roofline_ms
from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
COLUMNS = ("op", "device", "latency_ms", *sorted({name for names in SHAPES.values() for name in names}))
SPECS = ("Device", "Mem_Bw", "Num_Sm", "Core_Per_SM", "L2Cache", "SingleFLOPs")
# A median this far from what the data sheet allows is another unit, not another card.
LEAST_SHARE, MOST_SHARE = 0.2, 300.0
LAUNCH_MS = 0.01
# A kernel whose work takes less than this share of its time tells how long a launch is.
WORKLESS = 0.1


@dataclass(frozen=True, eq=False)
class KernelRows:
    """Timings of one group of operators on one card: shapes (n,) by name, milliseconds (n,), one row a shape.

    Attributes:
        spread: mean relative deviation of repeated rows from their median; NaN without repeats.
        num_repeats: rows that repeat a shape; each shape counts once, by its median.
        tested: rows of the source's own test split.
    """

    group: str
    card: Card
    shapes: Shapes
    latency_ms: Array
    tested: NDArray[np.bool_]
    spread: float
    num_repeats: int


def read_kernels(folder: Path, names: Iterable[str]) -> dict[str, list[KernelRows]]:
    """Return the checked rows of each card of ``names`` in a folder, by card.

    Raises:
        UsageError: a file, column or card is missing, an operator unknown, a value missing, zero or negative, or a
            card's latencies in another unit than milliseconds. The message counts the rows and names the first.
    """
    import pandas as pd

    table = read_table(folder / "kernels.parquet", pd.read_parquet, COLUMNS)
    cards = read_cards(folder, names)
    table = table[table["device"].astype(str).isin(list(cards))].reset_index(drop=True)
    _refuse_bad(table)
    return {name: rows_of(table[table["device"].astype(str) == name], card) for name, card in cards.items()}


def launch_ms(rows: KernelRows) -> float | None:
    """Return the time of the shortest kernel that is nearly all launch, None where each has work to do."""
    small = roofline_ms(rows.group, rows.shapes, rows.card) <= WORKLESS * rows.latency_ms
    return float(rows.latency_ms[small].min()) if small.any() else None


def known_cards(folder: Path) -> list[str]:
    """Return the names of the NVIDIA cards with rows in ``kernels.parquet`` and facts in ``gpu_specs.csv``."""
    import pandas as pd

    devices = set(read_table(folder / "kernels.parquet", pd.read_parquet, COLUMNS)["device"].astype(str))
    specs = read_table(folder / "gpu_specs.csv", pd.read_csv, SPECS)
    facts = set(specs[~specs["Device"].str.startswith("AMD")]["Device"])
    return sorted(devices & facts)


def card_named(query: str, names: Iterable[str]) -> str:
    """Return the one of ``names`` that ``query`` means: the name itself or some of its words (``A100-40G``).

    Raises:
        UsageError: none or several are meant.
    """
    names = list(names)
    if query in names:
        return query
    wanted = words(query)
    found = [name for name in names if wanted and all(w in words(name) or w + "b" in words(name) for w in wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"device {query!r} names several: {', '.join(found)}: give more of the name")
    raise unknown("device", query, names)


def read_cards(folder: Path, names: Iterable[str]) -> dict[str, Card]:
    """Return the facts of the cards of ``names``; of two rows of one device, the one whose ``file`` bears its name."""
    import pandas as pd

    specs = read_table(folder / "gpu_specs.csv", pd.read_csv, SPECS)
    cards = {}
    for name in names:
        rows = specs[specs["Device"] == name]
        if len(rows) > 1 and "file" in rows:
            rows = rows[[words(Path(file).stem) == words(name) for file in rows["file"]]]
        if len(rows) != 1:
            raise UsageError(f"gpu_specs.csv has {len(rows)} rows for device {name!r}: give one")
        cards[name] = _card(name, rows.iloc[0].to_dict())
    return cards


def _card(name: str, row: Mapping[Any, Any]) -> Card:
    numbers = {key: float(row[key]) for key in SPECS[1:]}
    bad = [key for key, value in numbers.items() if not (np.isfinite(value) and value > 0)]
    if bad:
        raise UsageError(f"gpu_specs.csv, device {name!r}: {', '.join(bad)} is missing or not above zero")
    capability, _, power_w = chip_facts(name)
    return Card(
        name=name,
        flops_per_s=numbers["SingleFLOPs"] * 1e9,
        bytes_per_s=numbers["Mem_Bw"] * 1e9,
        num_sms=numbers["Num_Sm"],
        l2_bytes=numbers["L2Cache"] * 2**20,
        lanes_per_sm=numbers["Core_Per_SM"],
        compute_capability=capability,
        power_w=power_w,
    )


def read_table(file: Path, reader: Any, columns: Iterable[str]) -> pd.DataFrame:
    """Return the table that ``reader`` makes of ``file``.

    Raises:
        UsageError: it can't be read, or lacks one of ``columns``.
    """
    try:
        table: pd.DataFrame = reader(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"can't read {file.name} in {file.parent}: {error}") from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise UsageError(f"{file.name} lacks the columns {', '.join(missing)}: it has {', '.join(map(str, table))}")
    return table


def _refuse_bad(table: pd.DataFrame) -> None:
    """Refuse unknown operators and rows whose latency or shape is missing, zero or negative."""
    ops = table["op"].astype(str)
    strange = sorted(set(ops) - {op for group in GROUPS.values() for op in group})
    if strange:
        raise unknown("operator", strange[0], (op for group in GROUPS.values() for op in group))
    for group, members in GROUPS.items():
        rows = table[ops.isin(members)]
        for name in ("latency_ms", *SHAPES[group]):
            values = rows[name].astype("float64")
            least = 0.0 if name != "pad" else -1.0
            bad = rows.index[~(values > least)]
            if len(bad):
                shown = ", ".join(map(str, bad[:5]))
                raise UsageError(
                    f"kernels.parquet: {name} of {group} is missing, zero or negative in {len(bad)} of {len(rows)} "
                    f"rows ({shown}): measure them again or leave them out"
                )


def rows_of(table: pd.DataFrame, card: Card) -> list[KernelRows]:
    """Return the rows of one card's table, a group of operators each.

    Raises:
        UsageError: latencies are in another unit than milliseconds.
    """
    found = []
    groups = table["op"].astype(str).map(group_of)
    for group in GROUPS:
        rows = table[groups == group]
        if len(rows):
            found.append(_group_rows(group, rows, card))
    return found


def _group_rows(group: str, rows: pd.DataFrame, card: Card) -> KernelRows:
    flat = rows[list(SHAPES[group])].astype("float64")
    flat["op"] = rows["op"].astype(str)
    flat["latency_ms"] = rows["latency_ms"].astype("float64")
    flat["tested"] = rows["split"].astype(str) == "test" if "split" in rows else False
    by_shape = flat.groupby(["op", *SHAPES[group]], sort=True)
    once = by_shape.agg(latency_ms=("latency_ms", "median"), tested=("tested", "all")).reset_index()
    median = by_shape["latency_ms"].transform("median")
    repeated = by_shape["latency_ms"].transform("size") > 1
    deviations = (flat["latency_ms"] / median - 1).abs()[repeated]
    shapes = group_shapes(group, once)
    latency = once["latency_ms"].to_numpy(np.float64)
    _refuse_units(group, card, shapes, latency)
    return KernelRows(
        group=group,
        card=card,
        shapes=shapes,
        latency_ms=latency,
        tested=once["tested"].to_numpy(bool),
        spread=float(deviations.mean()) if len(deviations) else float("nan"),
        num_repeats=len(flat) - len(once),
    )


def group_shapes(group: str, table: pd.DataFrame) -> Shapes:
    """Return the shapes of a table of one group's operators, each (n,)."""
    shapes = {name: table[name].to_numpy(np.float64) for name in SHAPES[group]}
    shapes["num_tensors"] = table["op"].map(lambda op: GROUPS[group][op]).to_numpy(np.float64)
    return shapes


def _refuse_units(group: str, card: Card, shapes: Shapes, latency_ms: Array) -> None:
    ratio = float(np.median(latency_ms / (roofline_ms(group, shapes, card) + LAUNCH_MS)))
    if not LEAST_SHARE < ratio < MOST_SHARE:
        raise UsageError(
            f"kernels.parquet: the median {group} on {card.name!r} takes {ratio:.2g} times what its data sheet allows: "
            "latency_ms must be milliseconds in every row"
        )
