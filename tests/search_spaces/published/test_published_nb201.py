"""Published cells against NATS-Bench's table (architectures.parquet: arch_idx 6111, 9930, 857)."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("nb201_best_cifar10", 1_073_466, 153_272_960),
        ("nb201_best_cifar100", 1_288_506, 184_730_240),
        ("nb201_best_imagenet16_120", 858_426, 121_815_680),
    ],
)
def test_published_counts(name: str, params: int, macs: int) -> None:
    counted = cost(network(name))
    assert (counted.params, counted.macs) == (params, macs)


def test_fvcore_counts_the_same() -> None:
    blueprint = network("nb201_all_avg_pool_3x3")
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
