"""Bottleneck, basic block and their shortcut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.resnet_bottleneck import ATTENTIONS
from search_spaces.blocks.resnet_shortcut import KINDS, Shortcut
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=30)
@given(
    st.sampled_from([(8, 8), (8, 24), (16, 32)]),
    st.sampled_from([(16, 16), (16, 32), (32, 64)]),
    st.sampled_from([(0.25, 0.25), (0.25, 0.5), (1.0, 1.0)]),
    st.sampled_from([0, 1, 4]),
    st.sampled_from([1, 2]),
    st.sampled_from(KINDS),
    st.sampled_from(ATTENTIONS),
    SIZES,
)
def test_bottlenecks_are_nested_and_counted(
    in_widths: tuple[int, int],
    out_widths: tuple[int, int],
    bottlenecks: tuple[float, float],
    group_width: int,
    stride: int,
    shortcut: str,
    attention: str,
    size: tuple[int, int],
) -> None:
    if stride == 1 and (in_widths[0] == out_widths[0]) != (in_widths[1] == out_widths[1]):
        stride = 2  # one of the two would have a projection and the other not
    small, large = (
        place(
            "resnet_bottleneck",
            in_widths[i],
            out_widths[i],
            size,
            bottleneck=bottlenecks[i],
            group_width=group_width,
            stride=stride,
            shortcut=shortcut,
            attention=attention,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@settings(max_examples=15)
@given(
    st.sampled_from([(8, 16), (16, 16)]),
    st.sampled_from([(16, 24), (24, 32)]),
    st.sampled_from([(0.5, 1.0), (1.0, 1.0)]),
    st.sampled_from(KINDS),
    SIZES,
)
def test_basic_blocks_are_nested_and_counted(
    in_widths: tuple[int, int],
    out_widths: tuple[int, int],
    bottlenecks: tuple[float, float],
    shortcut: str,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "resnet_basic",
            in_widths[i],
            out_widths[i],
            size,
            bottleneck=bottlenecks[i],
            stride=2,
            shortcut=shortcut,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize("kind", ["resnet_bottleneck", "resnet_basic"])
def test_the_identity_costs_nothing(kind: str) -> None:
    same, other = (place(kind, width, 16, (4, 4)) for width in (16, 8))
    assert not dict(module_of(same).shortcut.named_parameters())
    assert [layer.op for layer in block_layers(same)].count("conv") + 1 == [
        layer.op for layer in block_layers(other)
    ].count("conv")


def test_a_pooled_shortcut_averages_what_is_there() -> None:
    shortcut = Shortcut(1, 1, 2, "pool").eval()
    x = torch.arange(9.0).view(1, 1, 3, 3)
    torch.testing.assert_close(shortcut.pool(x), torch.tensor([[[[2.0, 3.5], [6.5, 8.0]]]]))


def test_groups_of_another_width_are_other_weights() -> None:
    names = [
        {name for name, _ in module_of(place("resnet_bottleneck", 16, 16, (4, 4), **given)).named_parameters()}
        for given in ({}, {"group_width": 4}, {"group_width": 2})
    ]
    assert "spatial.conv.weight" in names[0]
    assert "grouped4.conv.weight" in names[1]
    assert "grouped2.conv.weight" in names[2]


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        (
            {"group_width": 3},
            r"group_width got 3: it must divide the inner width 8 \(width 32 x bottleneck 0.25\): allowed: 1, 2, 4, 8",
        ),
        ({"shortcut": "poool"}, "unknown shortcut 'poool': did you mean 'pool'"),
        ({"attention": "see"}, "unknown attention 'see': did you mean 'se'.*allowed: eca, none, se, se_inner"),
    ],
)
def test_bad_settings(given_settings: dict[str, int | str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place("resnet_bottleneck", 8, 32, (4, 4), **given_settings))
