import json

import pandas as pd
import pytest

from experiments.measurement_rows import STUDY, store_rows, write_rows
from experiments.store.store import Store
from search_spaces.errors import StorageError, UsageError

ROW = {
    "name": "resnet18",
    "kind": "network",
    "count": 1,
    "target": "cpu:fp32:b1",
    "latency_ms": 3.5,
    "spread_ms": 0.25,
    "p95_ms": 4.0,
    "energy_mj": None,
    "num_runs": 20,
    "stable": True,
    "obtained": "measured",
    "roofline_ms": 2.0,
    "notes": "",
    "versions": {"torch": "2", "num_threads": "1"},
}


def test_rows_are_measurements_of_a_study_and_add_up(tmp_path):
    with Store.open(str(tmp_path / "m.db")) as store:
        store_rows([ROW, {**ROW, "name": "resnet34", "latency_ms": 6.5}], store)
        store_rows([ROW], store)
        stored = [found for _, found in store.load(STUDY).measurements(quantity="latency_ms")]
    assert sorted(found.value for found in stored) == [3.5, 3.5, 6.5]
    assert {(found.obtained, found.target, found.spread) for found in stored} == {("measured", "cpu:fp32:b1", 0.25)}
    assert dict(stored[0].versions) == ROW["versions"]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_file_reads_back(tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    write_rows([ROW, {**ROW, "name": "resnet34"}], path)
    table = pd.read_parquet(path) if ending == "parquet" else pd.read_csv(path)
    assert table["name"].tolist() == ["resnet18", "resnet34"]
    assert table["latency_ms"].tolist() == [3.5, 3.5]
    assert json.loads(table["versions"][0]) == ROW["versions"]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.parquet or \.csv"):
        write_rows([ROW], tmp_path / "rows.pkl")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="can't write"):
        write_rows([ROW], tmp_path / "none" / "rows.csv")
