from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


@pytest.mark.slow
def test_the_choice_stands_beside_one_placement_everywhere() -> None:
    found = benchmarks.get("choice")(search_epochs=1, epochs=1, seeds="3", max_images=800)
    labels = [row["norms"] for row in found["networks"]]
    assert labels[0].startswith("chosen: ")
    assert labels[0].count(",") == 5
    assert labels[1:] == [f"{norm} everywhere" for norm in ("none", "inside", "outside", "both")]
    assert all(0 <= row["test_percent"] <= 100 for row in found["networks"])


def test_no_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="seeds '', search_epochs 20, epochs 20: give numbers"):
        benchmarks.get("choice")(seeds="")
