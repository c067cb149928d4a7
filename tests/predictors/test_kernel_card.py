"""What holds down a card's data-sheet rate: power on small boards, shared memory with 128 lanes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from predictors.kernel_card import Card, card_of, chip_facts, energy_per_flop
from predictors.target import target
from search_spaces.errors import UsageError

T4 = Card("Tesla T4", 8.141e12, 320e9, 40, 4 * 2**20, 64, 7.5, 70.0)


def test_a_small_board_is_held_down_and_a_large_one_is_not() -> None:
    wanted_w = T4.flops_per_s * energy_per_flop(7.5)
    assert T4.power_slowdown() == pytest.approx(wanted_w / 45.0, rel=0.01)
    assert replace(T4, power_w=300.0).power_slowdown() == pytest.approx(1.0, abs=0.01)
    assert 1.0 < T4.power_slowdown(0.5) < T4.power_slowdown()
    assert replace(T4, power_w=None).power_slowdown() == 1.0
    assert replace(T4, element_bytes=2).power_slowdown() == 1.0


def test_shared_memory_just_feeds_128_lanes() -> None:
    assert T4.fed_flops_per_s == pytest.approx(T4.flops_per_s, rel=0.02)
    assert replace(T4, lanes_per_sm=128).fed_flops_per_s == pytest.approx(T4.flops_per_s / 2**0.25)
    assert replace(T4, lanes_per_sm=128, element_bytes=2).fed_flops_per_s == T4.flops_per_s


@pytest.mark.parametrize("name", ["t4", "h100", "l4"])
def test_targets_are_cards(name) -> None:
    card = card_of(target(f"{name}:fp32:b1"))
    assert card.flops_per_s > card.fed_flops_per_s
    assert card.power_slowdown() >= 1.0


def test_other_devices_and_chips_are_named() -> None:
    with pytest.raises(UsageError, match="the kernel model is for NVIDIA GPUs"):
        card_of(target("cpu:fp32:b1"))
    with pytest.raises(UsageError, match="has no chip that the kernel model knows: known are"):
        chip_facts("NVIDIA Z9")
    assert chip_facts("NVIDIA A100-SXM4-40GB") == (8.0, 64, 400)
