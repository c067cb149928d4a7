"""Rows of measurements kept: in the database, as a study of their own, and in a Parquet or CSV file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictors.measurement import Measurement
from search_spaces.errors import StorageError, UsageError

if TYPE_CHECKING:
    from experiments.store.store import Store

STUDY = "measurements"


def store_rows(rows: Sequence[Mapping[str, Any]], store: Store) -> None:
    """Add latency rows to the study ``measurements``; a network measured again gets a row of its own.

    Raises:
        ConflictError: another process is adding rows.
        StorageError: the database fails.
    """
    study = store.study(STUDY, {"kind": STUDY}, seed=0)
    with study.held("nas measure"):
        for row in rows:
            moment = datetime.now(UTC).isoformat(timespec="microseconds")
            key = f"{row['target']} {row['kind']} {row['name']}"[:440] + f" {moment}"
            measurement = Measurement(
                "latency_ms", row["latency_ms"], "ms", "measured", row["spread_ms"], row["target"], row["versions"]
            )
            study.begin("measurement", key)
            study.finish("measurement", key, dict(row), [measurement])


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows to ``path``, .parquet or .csv; versions stand in it as JSON text.

    Raises:
        UsageError: another ending. StorageError: the file can't be written.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise UsageError(f"--output got {str(path)!r}: give a file that ends in .parquet or .csv")
    import pandas as pd

    flat = [{**row, "versions": json.dumps(row["versions"], sort_keys=True)} for row in rows]
    table = pd.DataFrame(flat)
    try:
        table.to_parquet(path, index=False) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    except OSError as error:
        raise StorageError(f"can't write {path} ({error.strerror}): give another path with --output") from None
