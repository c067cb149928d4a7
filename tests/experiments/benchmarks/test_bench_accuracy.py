from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from table_files import write_nb201

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


def test_accuracies_are_predicted_by_data_set(tmp_path: Path) -> None:
    write_nb201(tmp_path)
    found = benchmarks.get("accuracy")(tmp_path, "nb201", samples=60, seeds=2)
    assert [row["data"] for row in found["data"]] == [
        "test_acc_cifar10",
        "test_acc_cifar100",
        "test_acc_imagenet16_120",
    ]
    for row in found["data"]:
        assert row["spearman"] > 0.9
        assert row["mean_error_points"] < 0.5


def test_bad_input_is_named(tmp_path: Path) -> None:
    write_nb201(tmp_path)
    with pytest.raises(UsageError, match="unknown space of accuracies 'fbnet': allowed: nb201, ofa"):
        benchmarks.get("accuracy")(tmp_path, "fbnet")
    with pytest.raises(UsageError, match="samples is 120: give fewer than the 120 distinct"):
        benchmarks.get("accuracy")(tmp_path, "nb201", samples=120, seeds=1)
    with pytest.raises(UsageError, match="samples is 0"):
        benchmarks.get("accuracy")(tmp_path, "nb201", samples=0)
    file = tmp_path / "nb201" / "architectures.parquet"
    table = pd.read_parquet(file)
    table.loc[[2, 9], "test_acc_cifar100"] = [float("nan"), 101.0]
    table.to_parquet(file)
    with pytest.raises(UsageError, match=r"2 of 120 rows of test_acc_cifar100 are no percentage \(first: row 2\)"):
        benchmarks.get("accuracy")(tmp_path, "nb201")
