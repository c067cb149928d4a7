from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.proxies import r_squared, run
from search_spaces.errors import UsageError

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_tables = pytest.mark.skipif(not (DATA / "timm").is_dir(), reason="public tables are not in ../shared/data")


@needs_tables
def test_activations_explain_a_4090_better_than_macs_and_a_cpu_worse() -> None:
    found = {row["run"]: row for row in run(DATA, device="")["explained"]}
    eager = found["rtx4090/amp/nchw/291/eager"]
    assert (eager["macs"], eager["activations"]) == (0.871, 0.933)
    for name, row in found.items():
        assert (row["activations"] > row["macs"]) == name.startswith("rtx"), name


@needs_tables
def test_resnet_rs_200_is_as_accurate_as_efficientnet_b7_and_much_faster() -> None:
    pairs = run(DATA)["pairs"]
    assert pairs
    for row in pairs:
        assert abs(row["first_top1"] - row["second_top1"]) < 0.1
    assert max(row["first_is_faster"] for row in pairs) > 2.5


def test_r_squared_is_the_squared_correlation_of_one_input() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = x + rng.normal(size=50)
    assert r_squared(x[:, None], y) == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)


def write_tables(folder: Path) -> None:
    (folder / "timm").mkdir()
    rng = np.random.default_rng(0)
    macts = np.exp(rng.normal(2, 1, 30))
    table = pd.DataFrame(
        {
            "model": [f"net{number}" for number in range(30)],
            "img_size": 224,
            "batch_size": 8,
            "device": "card",
            "precision": "amp",
            "layout": "nchw",
            "torch": "2",
            "dynamo": False,
            "latency_ms_per_batch": 8 * macts,
            "ms_per_sample": macts,
            "gmacs": np.exp(rng.normal(0, 1, 30)),
            "macts": macts,
            "params_m": np.exp(rng.normal(2, 1, 30)),
        }
    )
    table.to_parquet(folder / "timm" / "inference.parquet")
    accuracy = pd.DataFrame({"model": ["net0.a", "net1.b"], "img_size": 224, "top1": [80.0, 80.5]})
    accuracy.to_parquet(folder / "timm" / "imagenet.parquet")


def test_a_table_of_ones_own_is_read(tmp_path: Path) -> None:
    write_tables(tmp_path)
    found = run(tmp_path, "card", "net0.a@224", "net1.b@224")
    (explained,), (pair,) = found["explained"], found["pairs"]
    assert explained["activations"] == 1.0
    assert explained["macs"] < 0.3
    assert (pair["first_top1"], pair["second_top1"]) == (80.0, 80.5)
    assert pair["first_is_faster"] == pytest.approx(pair["first_images_per_s"] / pair["second_images_per_s"], rel=0.02)


def test_names_that_the_tables_lack_are_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    with pytest.raises(UsageError, match="no run of device 'other'"):
        run(tmp_path, "other", "net0.a@224", "net1.b@224")
    with pytest.raises(UsageError, match="0 rows of 'net9@224'"):
        run(tmp_path, "card", "net9@224", "net1.b@224")
