"""Public throughput tables: bad rows are named and counted, families are read from names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks import benchmarks
from experiments.benchmarks.transfer_tables import COLUMNS, analytic_ms, family_of, read_runs
from predictors.roofline import latency_ms
from predictors.target import target
from search_spaces.block import network_blocks
from search_spaces.errors import UsageError
from search_spaces.networks import network

NUM = 80


def made_table(seed: int = 0) -> pd.DataFrame:
    """Eighty networks of ten families on two cards, the second 1.5 times as fast within 3 %."""
    rng = np.random.default_rng(seed)
    gmacs = np.exp(rng.normal(0, 1, NUM))
    ms = 0.2 * gmacs**0.7
    families = ("resnet", "vgg", "vit", "swin", "regnety", "convnext", "dla", "xcit", "mixer", "ghostnet")
    names = [f"{families[i % 10]}{i}" for i in range(NUM)]
    tables = []
    for device, factor in (("rtx3090", 1.0), ("rtx4090", 1 / 1.5)):
        per_sample = ms * factor * np.exp(rng.normal(0, 0.03, NUM))
        tables.append(
            pd.DataFrame(
                {"model": names, "img_size": 224, "batch_size": 64, "device": device, "precision": "amp"}
                | {"layout": "nchw", "torch": "240", "dynamo": False, "latency_ms_per_batch": per_sample * 64}
                | {"ms_per_sample": per_sample, "gmacs": gmacs, "macts": 3 * gmacs**0.8, "params_m": 5 + gmacs}
            )
        )
    return pd.concat(tables, ignore_index=True)


def write(folder: Path, table: pd.DataFrame) -> Path:
    (folder / "timm").mkdir(exist_ok=True)
    table.to_parquet(folder / "timm" / "inference.parquet")
    return folder


def test_runs_are_read_apart(tmp_path: Path) -> None:
    table = made_table()
    table.loc[3, "macts"] = np.nan
    runs = read_runs(write(tmp_path, table))
    assert sorted(runs) == ["rtx3090/amp/nchw/240/eager", "rtx4090/amp/nchw/240/eager"]
    first = runs["rtx3090/amp/nchw/240/eager"]
    assert (len(first.keys), first.num_left_out) == (NUM - 1, 1)
    assert first.counts.shape == (NUM - 1, 5)
    assert len(np.unique(first.families)) == 10


def changed(column: str, value: object, rows: slice = slice(3, 5)) -> pd.DataFrame:
    table = made_table()
    table.loc[table.index[rows], column] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (changed("ms_per_sample", np.nan), r"ms_per_sample is missing, zero or negative in 2 of 160 rows \(3, 4\)"),
        (changed("latency_ms_per_batch", 0.0), "latency_ms_per_batch is missing, zero or negative in 2 of 160"),
        (changed("params_m", -1.0), "params_m is missing, zero or negative in 2 of 160 rows"),
        (changed("ms_per_sample", 1e-6), r"units are mixed in 2 of 160 rows \(3, 4\): measure them again"),
        (pd.concat([made_table(), made_table()[:2]], ignore_index=True), "2 of 162 rows repeat a network of their run"),
        (made_table().drop(columns=["gmacs", "torch"]), "lacks the columns torch, gmacs"),
    ],
)
def test_a_bad_table_is_named_and_counted(tmp_path: Path, table: pd.DataFrame, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_runs(write(tmp_path, table))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"can't read timm/inference\.parquet"):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("ecaresnet101d.miil_in1k", "resnet"),
        ("wide_resnet50_2", "resnet"),
        ("tf_efficientnet_b0.ns_jft_in1k", "efficientnet"),
        ("vit_base_patch16_224", "vit"),
    ],
)
def test_families_are_the_first_letters(model: str, family: str) -> None:
    assert family_of(model) == family


def test_a_sister_card_is_predicted_from_ten_runs(tmp_path: Path) -> None:
    found = benchmarks.get("transfer")(write(tmp_path, made_table()), samples="10", seeds=2, families=False)
    [row] = found["sister"]
    assert row["num_networks"] == NUM
    assert row["error_percent"] < 6
    assert row["met"]


def test_families_never_seen_are_predicted(tmp_path: Path) -> None:
    table = pd.concat([made_table(), made_table(1).assign(torch="291")], ignore_index=True)
    found = benchmarks.get("transfer")(write(tmp_path, table), samples="10", seeds=1)
    assert len(found["unseen_families"]) == 2
    for row in found["unseen_families"]:
        assert row["num_families"] == 10
        assert 0 < row["error_percent"] < 60


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "rtx309"}, "unknown device 'rtx309': did you mean 'rtx3090'"),
        ({"source": "rtx4090"}, "have no two runs that differ in the device alone"),
        ({"samples": "0"}, "samples is '0': give whole numbers above zero"),
        ({"seeds": 0}, "seeds is 0: give at least 1"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        benchmarks.get("transfer")(write(tmp_path, made_table()), **settings)


def test_the_columns_of_the_message_are_those_that_are_read() -> None:
    assert set(made_table().columns) == set(COLUMNS)


def test_networks_that_can_be_built_have_an_analytic_latency(tmp_path: Path) -> None:
    table = made_table()
    table["model"] = table["model"].replace({"resnet0": "resnet18.a1_in1k", "regnety4": "tf_efficientnet_b0"})
    run = read_runs(write(tmp_path, table))["rtx4090/amp/nchw/240/eager"]
    found = dict(zip(run.keys.tolist(), analytic_ms(run).tolist(), strict=True))
    built = {key: value for key, value in found.items() if value == value}
    assert built.keys() == {"resnet18.a1_in1k@224", "resnet50@224", "tf_efficientnet_b0@224"}
    where = target("rtx4090:fp16:b64")
    assert built["resnet18.a1_in1k@224"] == latency_ms(network_blocks(network("resnet18")), where) / 64
