from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


def test_it_says_how_long_building_takes() -> None:
    found = benchmarks.get("meta")(networks=2, space_name="ofa_mobilenet")
    (row,) = found["spaces"].values()
    assert row["modules"] > 100
    assert found["us_per_module"] == row["us_per_module"] > 0
    assert found["cached_ms"] == row["cached_ms"] > 0
    assert found["met"] is (found["us_per_module"] < 150 and found["cached_ms"] < 2)
    assert {"cpu", "cores"} <= set(found["machine"])


def test_no_networks_is_an_error() -> None:
    with pytest.raises(UsageError, match="networks is 0: give at least 1"):
        benchmarks.get("meta")(networks=0)
