from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.osnet_block import INSTANCE_NORMS
from search_spaces.conv import strided
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, check_layers, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=15)
@given(
    pair([8, 16, 24]),
    pair([12, 20, 32]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from(INSTANCE_NORMS),
    st.booleans(),
    st.tuples(st.integers(2, 6), st.integers(2, 6)),
)
def test_blocks_nest_and_are_counted(
    ins: list[int], outs: list[int], streams: int, instance_norm: str, same: bool, size: tuple[int, int]
) -> None:
    small, large = (
        place("osnet_block", ins[i], ins[i] if same else outs[i], size, streams=streams, instance_norm=instance_norm)
        for i in (0, 1)
    )
    check_block(small, large)


def test_fewer_scales_nest_in_more() -> None:
    small, large = (place("osnet_block", 16, 16, (4, 4), streams=t) for t in (2, 3))
    names = [{name for name, _ in module_of(placed).named_parameters()} for placed in (small, large)]
    assert names[0] < names[1]
    assert {name.split(".")[1] for name in names[1] - names[0]} == {"scale3"}
    check_layers(large)


def test_the_gate_is_shared_by_the_scales() -> None:
    params = [
        sum(layer.params for layer in block_layers(place("osnet_block", 64, 64, (4, 4), streams=t))) for t in (1, 2)
    ]
    light = 16 * 16 + 9 * 16 + 2 * 16
    assert params[1] - params[0] == 2 * light


def test_an_inside_norm_stands_for_the_last_batch_norm() -> None:
    placed = [place("osnet_block", 16, 16, (4, 4), instance_norm=norm) for norm in INSTANCE_NORMS]
    counts = [sum(layer.params for layer in block_layers(each)) for each in placed]
    assert [count - counts[0] for count in counts] == [0, 0, 32, 32]


@settings(max_examples=8)
@given(pair([4, 8]), st.sampled_from([1, 2]), st.tuples(st.integers(1, 7), st.integers(2, 7)))
def test_transitions_nest_and_are_counted(widths: list[int], stride: int, size: tuple[int, int]) -> None:
    small, large = (place("osnet_transition", width, width, size, stride=stride) for width in widths)
    check_block(small, large)
    assert module_of(large)(torch.zeros(2, widths[1], *size)).shape[2:] == strided(size, stride)


@settings(max_examples=8)
@given(pair([4, 8]), st.sampled_from([1, 4]), st.booleans(), st.tuples(st.integers(7, 12), st.integers(7, 12)))
def test_stems_nest_and_are_counted(widths: list[int], stride: int, norm: bool, size: tuple[int, int]) -> None:
    kernels = (5, 7)
    small, large = (
        place("osnet_stem", 3, widths[i], size, kernel=kernels[i], stride=stride, instance_norm=norm) for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize("features", [(8, 12), (0, 0)])
def test_heads_nest_and_are_counted(features: tuple[int, int]) -> None:
    small, large = (
        place("osnet_head", width, 5, (3, 2), feature_width=feature)
        for width, feature in zip((8, 12), features, strict=True)
    )
    check_block(small, large)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("osnet_block", {"instance_norm": "in"}, "unknown instance_norm of an osnet_block 'in': did you mean 'inside'"),
        ("osnet_block", {"streams": 0}, "osnet_block got streams 0: give at least 1"),
        ("osnet_transition", {"stride": 3}, "osnet_transition block got stride 3: allowed: 1, 2"),
        ("osnet_stem", {"stride": 2}, "osnet_stem got stride 2: allowed: 1, 4"),
        ("osnet_stem", {"kernel": 4}, "osnet_stem got kernel 4: give an odd one"),
    ],
)
def test_settings_that_are_not_allowed(kind: str, settings: dict[str, int | str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place(kind, 8, 8, (8, 8), **settings))


def test_a_width_that_four_does_not_divide() -> None:
    with pytest.raises(UsageError, match="osnet_block got width 18: give a multiple of 4"):
        module_of(place("osnet_block", 16, 18, (8, 8)))
