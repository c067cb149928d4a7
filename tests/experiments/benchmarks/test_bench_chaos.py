"""Killed runners: every study ends as undisturbed, nothing is stored twice, and nobody is told of locks."""

from __future__ import annotations

import pytest

from experiments.benchmarks.chaos import run


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seconds", [60.0])
def test_killed_runners_lose_nothing_and_do_nothing_twice(url: str, seconds: float) -> None:
    found = run(storage=url, seconds=seconds, patience_s=2700.0)
    assert found["kills"] >= 10
    assert found["done"] == found["studies"] == 24
    assert found["with_each_evaluation_once"] == 24
    assert found["other_fronts_than_undisturbed"] == 0
    assert found["bad_lines"] == []
    # One unit of work of each killed runner at most.
    assert found["evaluations_begun_again"] <= found["kills"]
    # On one host a dead process is seen at once; the lease is for other hosts.
    assert found["slowest_take_over_s"] < 2 * 60.0
