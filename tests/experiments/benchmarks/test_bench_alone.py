from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_study import SMALLEST

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

CONFIG = f"""{SMALLEST}epochs = 1
[latency]
targets = ["h100:bf16:b32"]
measure = false
[search]
evaluations = 8
settings = {{ num_initial = 4, num_offspring = 4 }}
compare = []
[finetuning]
epochs = 2
"""


def bench(folder: Path, **settings: Any) -> dict[str, Any]:
    path = folder / "tiny.toml"
    path.write_text(CONFIG)
    return benchmarks.get("alone")(path, folder / "out", processes=1, **settings)


def test_the_best_network_is_trained_alone_at_the_best_rate(tmp_path: Path) -> None:
    found = bench(tmp_path, learning_rates="0.003,0.01", tuning_share=0.5, images=64)
    alone = found["alone_test_accuracy"]
    assert found["gap"] == pytest.approx(alone - found["final_test_accuracy"], abs=0.011)
    assert found["gap_inherited"] == pytest.approx(alone - found["supernetwork_test_accuracy"], abs=0.011)
    assert (found["final_weights"], found["finetuning_images"]) == ("fine-tuned", 2 * 64)
    assert [row["learning_rate"] for row in found["tuning"]] == [0.003, 0.01]
    assert [row["images"] for row in found["tuning"]] == [32, 32]
    best = max(found["tuning"], key=lambda row: row["validation_accuracy"])
    assert found["recipe_alone"]["learning_rate"] == best["learning_rate"]
    assert (found["recipe_alone"]["images"], found["supernetwork_network_images"]) == (64, 96)
    journal = tmp_path / "out" / "tiny" / "alone" / "alone.jsonl"
    assert len(journal.read_text().splitlines()) == 3
    assert bench(tmp_path, learning_rates="0.003,0.01", tuning_share=0.5, images=64)["gap"] == found["gap"]
    assert len(journal.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rates": "fast"}, "learning_rates got 'fast': give positive numbers"),
        ({"learning_rates": "0.1,-1"}, "learning_rates got '0.1,-1': give positive numbers"),
        ({"tuning_share": 0.0}, "tuning_share is 0.*a share in"),
        ({"images": -1}, "images -1"),
    ],
)
def test_settings_that_train_nothing_are_an_error(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench(tmp_path, **settings)


def test_without_fine_tuning_the_network_is_judged_as_it_inherits(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG.replace("epochs = 2", "epochs = 0"))
    found = benchmarks.get("alone")(path, tmp_path / "out", processes=1, learning_rates="0.003", tuning_share=0.5)
    assert found["gap"] == found["gap_inherited"]
    assert (found["finetuning_images"], found["recipe_alone"]["images"]) == (0, found["supernetwork_network_images"])
