from __future__ import annotations

from pathlib import Path

import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError
from search_spaces.feed_forwards import feed_forwards
from search_spaces.mixers import mixers
from search_spaces.norm_names import NORM_NAMES


def test_every_operator_is_counted_and_timed(tmp_path: Path) -> None:
    page = tmp_path / "operators.md"
    found = benchmarks.get("operators")(width=16, side=8, rounds=2, runs=1, markdown=page)
    names = {(row["kind"], row["operator"]) for row in found["operators"]}
    assert {name for kind, name in names if kind == "token mixer"} >= set(mixers.names())
    assert {name for kind, name in names if kind == "feed-forward part"} >= set(feed_forwards.names())
    assert {name for kind, name in names if kind == "norm"} == set(NORM_NAMES)
    assert {kind for kind, _ in names} >= {"channel attention", "stem", "block"}
    for row in found["operators"]:
        assert row["params"] > 0, row
        assert row["latency_ms"] > 0, row
    lines = page.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.startswith("| token mixer |")]) == len(mixers.names())


def test_what_it_costs_is_what_the_module_has() -> None:
    from experiments.operator_list import operators

    for each in operators(16, 8):
        assert each.cost.params == sum(parameter.numel() for parameter in each.module.parameters()), each.name


def test_a_shape_that_an_operator_can_not_take_is_named() -> None:
    with pytest.raises(UsageError, match="window 4 does not divide the map 6x6"):
        benchmarks.get("operators")(width=16, side=6)
    with pytest.raises(UsageError, match="width is 0, side 16, rounds 20, runs 5: give at least 1 of each"):
        benchmarks.get("operators")(width=0)
