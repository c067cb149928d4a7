from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks, supernet
from search_spaces.errors import UsageError


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {"small": ("autoformer", {"form": "small_image", "depths": (1, 2), "widths": (16,), "num_classes": 3})}
    monkeypatch.setattr(supernet, "CASES", cases)
    monkeypatch.setattr(supernet, "MIN_MACS", 200_000)


@pytest.mark.usefixtures("small")
def test_each_case_says_ratio_spread_sizes_and_times() -> None:
    found = benchmarks.get("supernet")(networks=3, batch=2, pairs=2, masked_pairs=0)
    assert (found["batch"], found["pairs"], found["device"]) == (2, 2, "cpu")
    (case,) = found["cases"]
    assert (case["case"], case["networks"]) == ("small", 3)
    assert 0.2 <= case["mmacs"][0] <= case["mmacs"][1] <= case["mmacs"][2]
    least, most = case["ratio_of_networks"]
    assert 0 < least <= case["ratio"] <= most
    assert min(case["inside_ms"], case["alone_ms"]) > 0
    assert "masked_ms" not in case
    assert case["ratio_with_optimiser"] > 0
    assert found["met"] is (case["ratio"] <= 1.05)
    assert {"cpu", "cores", "torch_threads"} <= set(found["machine"])


@pytest.mark.usefixtures("small")
def test_the_masked_network_is_timed_beside_it() -> None:
    (case,) = benchmarks.get("supernet")(networks=1, batch=2, pairs=1, masked_pairs=1)["cases"]
    least, most = case["masked_ratio_of_networks"]
    assert 0 < least <= case["masked_ratio"] <= most
    assert case["masked_ms"] > 0


@pytest.mark.parametrize(
    "settings",
    [{"masked_pairs": 9}, {"masked_pairs": -1}, {"networks": 0}, {"batch": 0}, {"pairs": 0}, {"threads": -1}],
)
def test_settings_that_measure_nothing_are_an_error(settings: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="give at least 1"):
        benchmarks.get("supernet")(**settings)


def test_the_cases_are_networks_of_both_families() -> None:
    assert {kind for kind, _ in supernet.CASES.values()} == {"ofa_mobilenet", "autoformer"}
    assert supernet.MIN_MACS == 10_000_000


def test_the_benchmarks_are_registered() -> None:
    assert {"counting", "supernet"} <= set(benchmarks.names())
