"""Reading public tables of latencies, DIR/SPACE/architectures.parquet and latency*.parquet: checked, never mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

LATENCY_COLUMNS = ("arch_idx", "device_key", "latency_ms")
MAX_NAMED = 5
# Between two neighbours in the order of a device's latencies: seconds beside milliseconds leave such a gap.
MAX_GAP = 100.0


@dataclass(frozen=True)
class LatencyTable:
    """The architectures of a space and their latencies on some devices.

    Attributes:
        space: name of the space.
        architectures: one row each, sorted by ``arch_idx``.
        latency_ms: device -> (num_architectures,), in that order.
    """

    space: str
    architectures: pd.DataFrame
    latency_ms: dict[str, NDArray[np.float64]]


def read_architectures(directory: Path, space: str) -> pd.DataFrame:
    """Return the architectures of DIR/SPACE, sorted by ``arch_idx``.

    Raises:
        UsageError: the table is not there, can't be read, or names an architecture twice.
    """
    table = read_parquet(directory / space / "architectures.parquet")
    require_columns(table, ("arch_idx",), f"{space}/architectures.parquet")
    if (twice := int(table.arch_idx.duplicated().sum())) > 0:
        first = table.arch_idx[table.arch_idx.duplicated()].iloc[0]
        raise UsageError(
            f"{space}/architectures.parquet: {twice} rows repeat an arch_idx (first: {first}): give each once"
        )
    return table.sort_values("arch_idx", ignore_index=True)


def read_parquet(path: Path) -> pd.DataFrame:
    """Return a Parquet table.

    Raises:
        UsageError: it is not there or can't be read.
    """
    import pandas as pd
    from pyarrow import ArrowException

    if not path.is_file():
        raise UsageError(f"there is no table {path}: give the folder that holds SPACE/{path.name}")
    try:
        return pd.read_parquet(path)
    except (ArrowException, OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read as Parquet ({error}): copy it again") from None


def require_columns(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise a UsageError that names the columns that ``table`` lacks."""
    if missing := [column for column in columns if column not in table]:
        raise UsageError(f"{name} lacks the columns {', '.join(missing)}: it has {', '.join(map(str, table))}")


def read_latency_rows(directory: Path, space: str) -> pd.DataFrame:
    """Return the rows of every latency*.parquet of DIR/SPACE.

    Raises:
        UsageError: there is none, or a column is missing.
    """
    import pandas as pd

    files = sorted((directory / space).glob("latency*.parquet"))
    if not files:
        raise UsageError(f"there is no {directory / space}/latency*.parquet: give the folder that holds {space}/")
    tables = []
    for file in files:
        table = read_parquet(file)
        require_columns(table, LATENCY_COLUMNS, f"{space}/{file.name}")
        kept = [*LATENCY_COLUMNS, *(["unit"] if "unit" in table else [])]
        tables.append(table[kept].astype({"device_key": str}))
    return pd.concat(tables, ignore_index=True)


def device_latencies(rows: pd.DataFrame, device: str, architectures: pd.DataFrame, space: str) -> NDArray[np.float64]:
    """Return the latency of every architecture on a device, checked.

    Raises:
        UsageError: rows that repeat, are missing, not above zero or of another unit; counted, the first ones named.
    """
    import pandas as pd

    name = f"{space}, device {device}"
    own = rows[rows.device_key == device]
    _refuse(name, "repeat an architecture", own.arch_idx[own.arch_idx.duplicated()].tolist(), len(own))
    strangers = own.arch_idx[~own.arch_idx.isin(architectures.arch_idx)]
    _refuse(name, "name an architecture that architectures.parquet lacks", strangers.tolist(), len(own))
    if "unit" in own and (units := sorted(set(map(str, own.unit)))) != ["ms"]:
        raise UsageError(f"{name}: the unit is {' and '.join(units)}: give milliseconds (ms) alone")
    found = own.set_index("arch_idx").latency_ms.reindex(architectures.arch_idx)
    values = pd.to_numeric(found, errors="coerce").to_numpy(dtype=np.float64)
    indices = architectures.arch_idx.to_numpy()
    _refuse(name, "are missing or not finite", indices[~np.isfinite(values)].tolist(), len(indices))
    _refuse(name, "are not above zero", indices[values <= 0].tolist(), len(indices))
    _refuse_mixed_units(name, values)
    return values


def _refuse(name: str, what: str, architectures: Sequence[int], total: int) -> None:
    if architectures:
        named = ", ".join(map(str, architectures[:MAX_NAMED])) + (", ..." if len(architectures) > MAX_NAMED else "")
        raise UsageError(
            f"{name}: {len(architectures)} of {total} rows {what} (arch_idx {named}): mend the table, or leave the "
            "device out of --targets and --sources"
        )


def _refuse_mixed_units(name: str, values: NDArray[np.float64]) -> None:
    ordered = np.sort(values)
    gaps = ordered[1:] / ordered[:-1]
    if len(gaps) and gaps.max() > MAX_GAP:
        cut = int(np.argmax(gaps)) + 1
        raise UsageError(
            f"{name}: {min(cut, len(values) - cut)} of {len(values)} rows seem to be in another unit (nothing between "
            f"{ordered[cut - 1]:.4g} and {ordered[cut]:.4g} ms): give milliseconds alone"
        )


def named_devices(text: str, known: Sequence[str], what: str) -> list[str]:
    """Return the devices of a comma-separated list, in its order.

    Raises:
        UsageError: an unknown device, or one that stands twice.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise unknown(what, name, known)
    if len(set(names)) < len(names):
        raise UsageError(f"{what} got {text!r}: name each device once")
    return names
