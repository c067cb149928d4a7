from __future__ import annotations

from typing import Any

import pytest

from experiments.comparison.findings import at_equal_latency

TARGET = "cpu:fp32:b1"


def row(rule: str, factor: float, latency_ms: float, *accuracies: float) -> dict[str, Any]:
    trained = {"test_accuracies": list(accuracies)} if accuracies else {}
    return {"rule": rule, "factor": factor, "latency": {TARGET: {"latency_ms": latency_ms}}, **trained}


ROWS = [
    row("base", 1.0, 1.0, 80.0, 81.0),
    row("w", 2.0, 2.0, 84.0, 85.0),
    row("w", 4.0, 4.0, 86.0, 87.0),
    row("d", 2.0, 4.0, 84.0, 85.5),
    row("d", 4.0, 8.0, 88.0, 89.0),
]


def test_rules_are_read_off_at_latencies_that_all_reach() -> None:
    found = at_equal_latency(ROWS, TARGET, 2)
    assert found is not None
    assert [reading["latency_ms"] for reading in found["readings"]] == pytest.approx([2.0, 4.0])
    first, last = ({each["rule"]: each for each in reading["rules"]} for reading in found["readings"])
    assert first["w"]["test_accuracy"] == pytest.approx(84.5)
    assert first["d"]["test_accuracy"] == pytest.approx((80 + 84 + 81 + 85.5) / 4)
    assert last["w"]["behind"] == 0
    assert last["d"]["behind"] == pytest.approx(86.5 - 84.75)
    assert [reading["best"] for reading in found["readings"]] == ["w", "w"]
    assert found["smallest_difference"] > 0


def test_a_rule_without_all_its_networks_is_left_out_by_name() -> None:
    found = at_equal_latency([*ROWS, row("r", 2.0, 2.0, 82.0, 83.0), row("r", 4.0, 4.0)], TARGET, 2)
    assert found is not None
    assert (found["rules"], found["left_out"]) == (["w", "d"], ["r"])


def test_only_seeds_that_all_have_count() -> None:
    found = at_equal_latency([*ROWS[:-1], row("d", 4.0, 8.0, 88.0)], TARGET, 2)
    assert found is not None
    assert (found["seeds"], found["smallest_difference"]) == (1, None)


def test_one_rule_is_no_comparison() -> None:
    assert at_equal_latency(ROWS[:3], TARGET, 2) is None


def test_nothing_is_read_where_latencies_have_nothing_in_common() -> None:
    faster = [row("w", 2.0, 0.5, 84.0, 85.0), row("w", 4.0, 0.6, 86.0, 87.0)]
    assert at_equal_latency([ROWS[0], *faster, *ROWS[3:]], TARGET, 2) is None
