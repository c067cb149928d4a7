from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


def test_it_says_what_was_counted_how_fast_and_where() -> None:
    found = benchmarks.get("counting")(space_name="autoformer", rows=100, repeats=2)
    assert (found["space"], found["rows"], found["repeats"]) == ("autoformer", 100, 2)
    slowest, fastest = found["architectures_per_s_range"]
    assert 0 < slowest <= found["architectures_per_s"] <= fastest
    assert found["met"] is (found["architectures_per_s"] >= 1_000_000)
    assert {"cpu", "cores"} <= set(found["machine"])
    assert {"python", "numpy"} <= set(found["versions"])


@pytest.mark.parametrize("settings", [{"rows": 0}, {"repeats": 0}])
def test_nothing_to_count_is_an_error(settings: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"rows is \d+ and repeats is \d+: give at least 1 of each"):
        benchmarks.get("counting")(**settings)


def test_an_unknown_space_lists_close_ones() -> None:
    with pytest.raises(UsageError, match="did you mean 'autoformer'"):
        benchmarks.get("counting")(space_name="autoforme")
