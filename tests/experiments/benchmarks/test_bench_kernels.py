"""``nas bench kernels`` on made cards: each is left out in turn, and settings that can't be are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from table_files import NEUSIGHT_CARDS, write_neusight

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rectified activations that reach 0.7 of each card's bandwidth after 6 microseconds."""
    made = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    rows = []
    for name, (bandwidth, *_) in NEUSIGHT_CARDS.items():
        for _ in range(80):
            batch, width = (int(2 ** rng.uniform(5, 12)) for _ in range(2))
            latency_ms = 0.006 + 8e3 * batch * width / (0.7e9 * bandwidth)
            rows.append({"op": "relu", "device": name, "latency_ms": latency_ms, "B": batch, "H": width})
    write_neusight(made, rows)
    return made


def test_each_card_is_left_out_in_turn(folder: Path) -> None:
    found = benchmarks.get("kernels")(folder)
    assert [row["device"] for row in found["errors"]] == sorted(NEUSIGHT_CARDS)
    for row in found["errors"]:
        assert row["trained_on"] == 2
        assert row["num_kernels"] == 80
        assert row["mean_error_percent"] < 15 < row["roofline_error_percent"]
    [mean] = found["operators"]
    assert mean["num_devices"] == 3
    assert mean["met"]


def test_cards_are_chosen_by_words_of_their_names(folder: Path) -> None:
    found = benchmarks.get("kernels")(folder, train="P4,T4", test="L4")
    assert [row["device"] for row in found["errors"]] == ["NVIDIA L4"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": "some"}, "rows is 'some': allowed are all and test"),
        ({"train": "P4,T4", "test": "T4"}, "'Tesla T4' stands in train and in test"),
        ({"train": "P4", "test": "T4"}, "train has 1 cards and test 1: give at least 2 and 1"),
        ({"test": "H100"}, "unknown device 'H100'"),
    ],
)
def test_bad_settings_are_named(folder: Path, settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        benchmarks.get("kernels")(folder, **settings)
