from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


def test_every_step_is_timed_and_every_target_has_a_front() -> None:
    found = benchmarks.get("scoring")(candidates=300, evaluated=12, repeats=1)
    assert [row["step"] for row in found["steps"]] == ["counts", "latencies and inputs", "accuracy", "sorting"]
    assert found["seconds"] == pytest.approx(sum(row["seconds"] for row in found["steps"]), abs=0.003)
    assert len(found["front_sizes"]) == len(found["targets"]) == 3
    assert all(1 <= size < 300 for size in found["front_sizes"])


def test_bad_input_is_named() -> None:
    bench = benchmarks.get("scoring")
    with pytest.raises(UsageError, match="candidates is 5, evaluated 200 and repeats 3"):
        bench(candidates=5)
    with pytest.raises(UsageError, match="unknown space 'ofa'"):
        bench(space="ofa")
