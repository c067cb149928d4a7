from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from table_files import write_latency, write_nb201

from experiments.benchmarks.tabular import (
    device_latencies,
    named_devices,
    read_architectures,
    read_latency_rows,
    read_parquet,
)
from search_spaces.errors import UsageError


def card(folder: Path) -> np.ndarray:
    return device_latencies(read_latency_rows(folder, "nb201"), "card", read_architectures(folder, "nb201"), "nb201")


def test_a_good_table_is_read_in_the_order_of_the_architectures(tmp_path: Path) -> None:
    rows = write_nb201(tmp_path)
    write_latency(tmp_path, rows.sample(frac=1, random_state=1))
    expected = rows[rows.device_key == "card"].latency_ms.to_numpy()
    assert (card(tmp_path) == expected).all()


def latency(rows: pd.DataFrame, wrong: pd.Series, value: object) -> pd.DataFrame:
    return rows.assign(latency_ms=rows.latency_ms.mask(wrong, value))


CHANGES = {
    "absent": lambda rows: rows.drop(index=[3, 5]),
    "nan": lambda rows: latency(rows, rows.index == 4, np.nan),
    "zero": lambda rows: latency(rows, rows.index == 4, 0.0),
    "negative": lambda rows: latency(rows, rows.index < 7, -1.0),
    "repeated": lambda rows: pd.concat([rows, rows[10:12]]),
    "unknown": lambda rows: rows.assign(arch_idx=rows.arch_idx.mask(rows.index == 2, 999)),
    "seconds": lambda rows: latency(rows, rows.index < 31, rows.latency_ms / 1000),
    "units": lambda rows: rows.assign(unit=np.where(rows.index < 9, "s", "ms")),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("absent", r"device card: 2 of 120 rows are missing or not finite \(arch_idx 3, 5\)"),
        ("nan", "1 of 120 rows are missing"),
        ("zero", "1 of 120 rows are not above zero"),
        ("negative", r"7 of 120 rows .*0, 1, 2, 3, 4, \.\.\."),
        ("repeated", r"2 of 122 rows repeat an architecture \(arch_idx 10, 11\)"),
        ("unknown", r"1 of 120 rows name an architecture that architectures\.parquet lacks"),
        ("seconds", "31 of 120 rows seem to be in another unit"),
        ("units", "the unit is ms and s: give milliseconds"),
    ],
)
def test_a_bad_table_is_named_and_counted(tmp_path: Path, change: str, message: str) -> None:
    rows = write_nb201(tmp_path)
    write_latency(tmp_path, CHANGES[change](rows))
    with pytest.raises(UsageError, match=message):
        card(tmp_path)


def test_files_that_are_missing_or_no_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no table .*architectures.parquet: give the folder"):
        read_architectures(tmp_path, "nb201")
    with pytest.raises(UsageError, match=r"there is no .*latency\*.parquet"):
        read_latency_rows(tmp_path, "nb201")
    (tmp_path / "broken.parquet").write_text("no table")
    with pytest.raises(UsageError, match="can't be read as Parquet"):
        read_parquet(tmp_path / "broken.parquet")


def test_missing_columns_and_repeated_architectures_are_named(tmp_path: Path) -> None:
    rows = write_nb201(tmp_path)
    rows.drop(columns="latency_ms").to_parquet(tmp_path / "nb201" / "latency.parquet")
    with pytest.raises(UsageError, match=r"nb201/latency.parquet lacks the columns latency_ms"):
        read_latency_rows(tmp_path, "nb201")
    file = tmp_path / "nb201" / "architectures.parquet"
    table = pd.read_parquet(file)
    pd.concat([table, table[:3]]).to_parquet(file)
    with pytest.raises(UsageError, match="3 rows repeat an arch_idx"):
        read_architectures(tmp_path, "nb201")


def test_devices_are_named_once_and_known() -> None:
    assert named_devices(" b, a,", ("a", "b"), "target device") == ["b", "a"]
    with pytest.raises(UsageError, match="unknown target device 'crad': did you mean 'card'"):
        named_devices("crad", ("card", "chip"), "target device")
    with pytest.raises(UsageError, match="name each device once"):
        named_devices("a,a", ("a",), "source device")
