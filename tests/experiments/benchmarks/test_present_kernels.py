"""``nas bench present_kernels`` with a clock that keeps to a card's data sheet in place of a GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from table_files import NEUSIGHT_CARDS, write_neusight

from experiments.benchmarks import benchmarks
from predictors.kernel_card import card_of
from predictors.kernel_table import group_shapes
from predictors.kernel_terms import roofline_ms
from predictors.target import target
from search_spaces.errors import UsageError

SHARE, LAUNCH_MS = 0.8, 0.006


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    rows = []
    for name, (bandwidth, *_) in NEUSIGHT_CARDS.items():
        for op, tensors in (("relu", 2), ("softmax", 2)):
            for _ in range(80):
                batch, width = (int(2 ** rng.uniform(5, 12)) for _ in range(2))
                latency_ms = LAUNCH_MS + 4e3 * tensors * batch * width / (SHARE * 1e9 * bandwidth)
                rows.append({"op": op, "device": name, "latency_ms": latency_ms, "B": batch, "H": width})
    write_neusight(made, rows)
    return made


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the target be present, and its kernels take what the other cards' take."""
    card = card_of(target("v100"))

    def timed(table: pd.DataFrame, device: object, precision: str) -> pd.DataFrame:
        shapes = group_shapes("softmax", table.assign(op="softmax"))
        return table.assign(latency_ms=LAUNCH_MS + roofline_ms("softmax", shapes, card) / SHARE)

    monkeypatch.setattr("experiments.measuring.require_present", lambda where: "cpu")
    monkeypatch.setattr("predictors.kernel_timing.time_kernels", timed)


@pytest.mark.usefixtures("a_gpu")
def test_kernels_of_a_card_that_is_here_are_predicted_from_others_and_kept(folder: Path, tmp_path: Path) -> None:
    found = benchmarks.get("present_kernels")(folder, target="v100", kernels=50, table=str(tmp_path / "v100.csv"))
    # And the smallest kernel of each operator, which tells how long a launch is.
    assert found["num_kernels"] == 102
    assert {row["operator"] for row in found["errors"]} == {"elementwise", "softmax"}
    for row in found["errors"]:
        assert row["device"] == "v100"
        assert row["mean_error_percent"] < 15
        assert row["launch_ms"] == pytest.approx(LAUNCH_MS, rel=0.1)
        assert row["launch_known_error_percent"] < 15
    table = pd.read_csv(tmp_path / "v100.csv")
    assert set(table["obtained"]) == {"measured"}
    assert set(table["device"]) == {"v100:fp32:b1"}
    assert len(table.drop_duplicates(["op", "B", "H"])) == 102


def test_without_the_card_it_says_what_to_do(folder: Path) -> None:
    with pytest.raises(UsageError, match="that device is not here"):
        benchmarks.get("present_kernels")(folder, target="v100")


def test_too_few_kernels_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="kernels is 1 and rows 'all': give at least 2"):
        benchmarks.get("present_kernels")(folder, kernels=1)


@pytest.mark.usefixtures("a_gpu")
def test_kernels_timed_before_are_predicted_again(folder: Path, tmp_path: Path) -> None:
    present = benchmarks.get("present_kernels")
    kept = str(tmp_path / "v100.parquet")
    first = present(folder, target="v100", kernels=20, table=kept)
    assert present(folder, target="v100", timed=kept)["errors"] == first["errors"]
    with pytest.raises(UsageError, match=r"v100.parquet is of v100:fp32:b1: give --target v100:fp32:b1"):
        present(folder, target="t4", timed=kept)
    with pytest.raises(UsageError, match=r"can't read .*none.parquet"):
        present(folder, target="v100", timed=str(tmp_path / "none.parquet"))


@pytest.mark.usefixtures("a_gpu")
def test_rows_test_draws_from_the_test_split_alone(folder: Path) -> None:
    with pytest.raises(UsageError, match="no kernel of the test split"):
        benchmarks.get("present_kernels")(folder, target="v100", rows="test")
