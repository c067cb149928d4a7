import json

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.measurement import measure_once, run
from search_spaces.errors import UsageError
from search_spaces.spaces import load_architecture


def test_two_runs_of_few_networks_are_compared_and_kept(tmp_path):
    found = run(space="nb201", form="", networks=3, rounds=2, runs=2, table=str(tmp_path / "cpu.csv"))
    table = pd.read_csv(tmp_path / "cpu.csv")
    assert len(table) == 3
    assert table["latency_ms"].sum() <= table["latency_of_the_other_run_ms"].sum()
    assert set(table["obtained"]) == {"measured"}
    assert load_architecture(table["architecture"][0])[0].name == "nb201"
    assert json.loads(table["versions"][0])["num_threads"] == "1"
    rows = found["networks_ms"]
    assert len(rows) == 3
    assert -1 <= found["kendall_tau"] <= 1
    assert found["met"] == (found["kendall_tau"] >= found["target_tau"])
    low = np.array([[row["first_ms"], row["second_ms"]] for row in rows])
    assert (low > 0).all()
    assert found["latency_ms_range"] == [pytest.approx(low.min()), pytest.approx(low.max())]
    assert found["target"] == "cpu:fp32:b1"


def test_one_measuring_run_visits_every_network():
    found = measure_once("nb201", "", 2, "cpu:fp32:b1", 2, 2, 1, 0, 5)
    assert [len(found[key]) for key in ("latency_ms", "median_ms", "spread_ms")] == [2, 2, 2]
    assert all(low <= median for low, median in zip(found["latency_ms"], found["median_ms"], strict=True))


def test_too_little_is_refused():
    with pytest.raises(UsageError, match="networks 1, rounds 20, runs 5: give at least 2, 2 and 1"):
        run(networks=1)
