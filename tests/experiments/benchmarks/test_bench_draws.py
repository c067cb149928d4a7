from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks
from nas.training.samplers import samplers
from search_spaces.errors import UsageError


def test_it_times_every_sampler_and_checks_the_requests() -> None:
    found = benchmarks.get("draws")(space="autoformer", networks=3, requests=60, repeats=2)
    assert [row["sampler"] for row in found["samplers"]] == samplers.names()
    assert all(row["draw_ms"] > 0 for row in found["samplers"])
    assert found["slowest_ms"] == max(row["draw_ms"] for row in found["samplers"])
    assert found["requests_met_percent"] == 100
    assert 0 < found["median_error"] <= found["largest_error"] <= found["tolerance"]


def test_too_few_networks_are_refused() -> None:
    with pytest.raises(UsageError, match="networks 1, requests 4000, repeats 100: give at least 2, 1 and 1"):
        benchmarks.get("draws")(networks=1)
