from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_study import SMALLEST

from experiments.benchmarks import benchmarks, ranking
from search_spaces.errors import UsageError
from search_spaces.population import PopulationCost
from search_spaces.spaces import space

CONFIG = SMALLEST + "epochs = 1\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG)
    return path


def bench(config: Path, **settings: Any) -> dict[str, Any]:
    return benchmarks.get("ranking")(config, config.parent / "out", members=2, processes=1, **settings)


def test_members_are_trained_alone_once_by_the_same_recipe(config: Path) -> None:
    found = bench(config, images=48)
    assert len(found["networks"]) == 2
    assert found["recipe_alone"]["images"] == 48
    assert found["recipe_alone"]["batch_size"] == 16
    for row in found["networks"]:
        assert 0 <= min(row["inherited"], row["alone"]) <= max(row["inherited"], row["alone"]) <= 100
    lines = (config.parent / "out" / "tiny" / "alone" / "alone.jsonl").read_text()
    assert len(lines.splitlines()) == 2
    assert bench(config, images=48)["networks"] == found["networks"]
    assert (config.parent / "out" / "tiny" / "alone" / "alone.jsonl").read_text() == lines


def test_by_default_a_member_gets_the_images_of_the_supernetwork(config: Path) -> None:
    found = bench(config, settings="training.epochs=2 name=other")
    assert found["study"] == "other"
    assert found["recipe_alone"]["images"] == 2 * (found["recipe_alone"]["images"] // 2) >= 2 * 96


def test_tau_and_gap() -> None:
    found = ranking.agreement([80.0, 85.0, 90.0], [82.0, 86.0, 93.0])
    assert found == {"kendall_tau": 1.0, "gap_mean": 2.0, "gap_sd": 1.0, "gap_range": [1.0, 3.0]}
    assert ranking.agreement([80.0, 85.0], [90.0, 89.0])["kendall_tau"] == -1.0
    assert ranking.agreement([80.0, 80.0], [90.0, 89.0])["kendall_tau"] is None
    assert ranking.agreement([80.0], [81.0]) == {
        "kendall_tau": None,
        "gap_mean": 1.0,
        "gap_sd": None,
        "gap_range": [1.0, 1.0],
    }


def test_members_are_distinct_and_no_more_than_the_space_holds() -> None:
    small = space("autoformer", form="small_image", widths=(16, 24), depths=(1,), heads=(2,), mlp_ratios=(1.0, 2.0))
    genes = ranking.random_members(small, 4, seed=0)
    assert len(np.unique(genes, axis=0)) == 4
    with pytest.raises(UsageError, match="members is 5: the space holds 4 networks"):
        ranking.random_members(small, 5, seed=0)


@pytest.mark.parametrize("settings", [{"images": -1}, {"seed": -1}, {"learning_rate": -0.1}])
def test_settings_that_train_nothing_are_an_error(config: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no negative number"):
        bench(config, **settings)


def test_members_of_one_size() -> None:
    family = space("ofa_mobilenet", form="small_image", resolutions=(8,), num_classes=10)
    genes = ranking.random_members(family, 12, 0, (0.8, 1.2))
    mmacs = PopulationCost(family).counts(genes)[:, 1] / 1e6
    assert len(np.unique(genes, axis=0)) == 12
    assert ((mmacs >= 0.8) & (mmacs <= 1.2)).all()
    assert np.array_equal(genes, ranking.random_members(family, 12, 0, (0.8, 1.2)))
    with pytest.raises(UsageError, match=r"0 of \d+ random networks have 800 to 1200 million MACs, the median has"):
        ranking.random_members(family, 12, 0, (800, 1200))
