from __future__ import annotations

import numpy as np
import pytest

from experiments.front_networks import FrontNetworks
from experiments.picking import pick
from nas.search.objectives import make_objective
from search_spaces.errors import UsageError

NAMES = ("accuracy", "latency_ms@t4:fp16:b1", "size_bytes")
VALUES = [[70.0, 1.0, 400.0], [89.0, 2.0, 500.0], [90.0, 9.0, 100.0]]
NETWORKS = FrontNetworks(
    tuple(map(make_objective, NAMES)),
    np.array(VALUES),
    [{"network": f"N{place}", "key": str(place)} for place in range(3)],
)


@pytest.mark.parametrize(
    ("best", "under", "knee", "network", "chosen"),
    [
        ("", [], "", "N2", "the best accuracy"),
        ("latency_ms@t4", [], "", "N0", "the best latency_ms@t4:fp16:b1"),
        ("size_bytes", [], "", "N2", "the best size_bytes"),
        ("size_bytes", ["latency_ms@t4=3"], "", "N0", "the best size_bytes, latency_ms@t4:fp16:b1 <= 3"),
        ("", ["latency_ms@t4=1"], "", "N0", "the best accuracy, latency_ms@t4:fp16:b1 <= 1"),
        ("latency_ms@t4", ["size_bytes=450", "accuracy=80"], "", "N2", "size_bytes <= 450, accuracy >= 80"),
        ("", [], "t4", "N1", "the knee of accuracy against latency_ms@t4:fp16:b1"),
    ],
)
def test_a_network_is_picked(best: str, under: list[str], knee: str, network: str, chosen: str) -> None:
    found = pick(NETWORKS, best, under, knee)
    assert found["network"] == network
    assert found["chosen"].endswith(chosen)


@pytest.mark.parametrize(
    ("best", "under", "knee", "message"),
    [
        ("params", [], "", "unknown objective of this front 'params'"),
        ("", ["size_bytes=9"], "", "keeps size_bytes 9 bytes: the nearest, number 2"),
        ("", ["size=9"], "", "unknown objective of this front 'size'"),
        ("", ["size_bytes"], "", "write it as OBJECTIVE=NUMBER, as latency_ms@t4:fp16:b1=2"),
        ("latency_ms@t5", [], "", "target 't5' is not one of the study's"),
        ("", [], "made", "allowed: t4:fp16:b1"),
    ],
)
def test_what_can_not_be_picked_is_named(best: str, under: list[str], knee: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        pick(NETWORKS, best, under, knee)
