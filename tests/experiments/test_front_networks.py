from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.front_file import read_front
from experiments.front_networks import read_networks
from search_spaces.errors import UsageError

ROW = {
    "key": "a",
    "label": "N1",
    "knobs": {},
    "validation_accuracy": {"value": 90.0},
    "latency_ms": {"t4": {"value": 2.0, "obtained": "predicted"}, "orin": {"value": 5.0, "obtained": "analytic"}},
    "latency_ms_measured": {"t4": {"value": 2.5, "obtained": "measured"}},
    "params": 1,
    "macs": 2,
    "activations": 3,
    "peak_memory_bytes": 4,
    "size_bytes": 5,
}
TRAINED = {"fronts": {"t4": [ROW], "orin": []}, "joint_front": [ROW]}
TABULAR = {
    "objectives": {"accuracy": "%", "latency_ms@made": "ms"},
    "obtained": "analytic",
    "front": [
        {"key": "a", "accuracy": 70.0, "latency_ms@made": 1.5},
        {"key": "b", "accuracy": 80.0, "latency_ms@made": 3.0},
    ],
}


def written(folder: Path, content: object) -> Path:
    path = folder / "front.json"
    path.write_text(json.dumps(content))
    return path


def test_networks_of_a_trained_study_have_every_cost_and_measured_latencies_first(tmp_path: Path) -> None:
    found = read_networks(written(tmp_path, TRAINED), "s")
    names = [each.name for each in found.objectives]
    assert names == [
        "accuracy", "latency_ms@t4", "latency_ms@orin", "params", "macs", "activations", "peak_memory_bytes",
        "size_bytes",
    ]  # fmt: skip
    assert found.values.tolist() == [[90.0, 2.5, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0]]
    assert found.shown[0]["latency_obtained"] == {"t4": "measured", "orin": "analytic"}
    assert found.shown[0]["size_bytes"] == 5


def test_a_front_from_before_sizes_were_written_has_the_other_costs(tmp_path: Path) -> None:
    old = {name: value for name, value in ROW.items() if name != "size_bytes"}
    found = read_networks(written(tmp_path, {"fronts": {"t4": [old]}, "joint_front": []}), "s")
    assert "size_bytes" not in {each.name for each in found.objectives}
    assert found.values.shape == (1, 7)


def test_networks_of_a_tabular_study_have_what_the_table_tells(tmp_path: Path) -> None:
    found = read_networks(written(tmp_path, TABULAR), "s")
    assert [each.name for each in found.objectives] == ["accuracy", "latency_ms@made"]
    assert found.values.tolist() == [[70.0, 1.5], [80.0, 3.0]]
    assert [(row["network"], row["obtained"]) for row in found.shown] == [("a", "analytic"), ("b", "analytic")]


def test_a_tabular_front_holds_no_trained_networks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="study 's' is tabular: its networks were looked up and not trained"):
        read_front(written(tmp_path, TABULAR), "s")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "is damaged: run the study again"),
        ({"fronts": {"t4": [{"key": "a"}]}, "joint_front": []}, "is damaged: run the study again"),
        ({"objectives": {"accuracy": "%"}, "front": [{"key": "a"}]}, "is damaged: run the study again"),
        ({"objectives": {}, "front": 3}, "is damaged: run the study again"),
        ({"fronts": {}, "joint_front": []}, "no network is on a front of study 's': loosen the bounds"),
        ({"objectives": {}, "front": []}, "no network is on a front of study 's': loosen the bounds"),
    ],
)
def test_what_is_no_front_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_networks(written(tmp_path, content), "s")


def test_a_front_that_is_not_there_names_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no .*front.json: run it first"):
        read_networks(tmp_path / "front.json", "s")
