from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.mbconv import SqueezeExcite, hidden_width, squeezed_width
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=25)
@given(
    pair([8, 16, 24, 40]),
    pair([8, 16, 32]),
    pair([3, 5, 7]),
    pair([2, 3, 4, 6]),
    st.sampled_from([1, 2]),
    st.sampled_from(["relu", "hard_swish"]),
    st.booleans(),
    st.booleans(),
    st.tuples(st.integers(2, 9), st.integers(2, 9)),
)
def test_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    kernels: list[int],
    expansions: list[int],
    stride: int,
    activation: str,
    squeeze_excite: bool,
    same_width: bool,
    size: tuple[int, int],
) -> None:
    if not same_width and stride == 1 and (in_widths[0] == out_widths[0]) != (in_widths[1] == out_widths[1]):
        stride = 2  # one of the two would have a residual connection and the other not
    small, large = (
        place(
            "mbconv",
            in_widths[i],
            in_widths[i] if same_width else out_widths[i],
            size,
            kernel=kernels[i],
            expansion=expansions[i],
            stride=stride,
            activation=activation,
            squeeze_excite=squeeze_excite,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@settings(max_examples=5)
@given(pair([8, 16, 24]), pair([3, 5]))
def test_without_expansion(widths: list[int], kernels: list[int]) -> None:
    small, large = (
        place("mbconv", widths[i], widths[i], (5, 5), kernel=kernels[i], expansion=1, stride=1) for i in (0, 1)
    )
    check_block(small, large)


def test_the_hidden_width_is_rounded_as_once_for_all_rounds() -> None:
    assert [hidden_width(width, ratio) for width, ratio in ((16, 3), (24, 4), (40, 6), (20, 3.5))] == [48, 96, 240, 72]


def test_a_residual_stands_only_where_shapes_allow() -> None:
    def residual(in_width: int, stride: int) -> bool:
        return bool(module_of(place("mbconv", in_width, 16, (4, 4), kernel=3, expansion=2, stride=stride)).residual)

    assert [residual(16, 1), residual(8, 1), residual(16, 2)] == [True, False, False]


def test_the_gate_is_between_nothing_and_all_of_a_channel() -> None:
    gate = SqueezeExcite(16)
    x = torch.rand(2, 16, 3, 3, generator=torch.Generator().manual_seed(0))
    ratio = gate(x) / x
    assert (ratio >= 0).all()
    assert (ratio <= 1).all()
    torch.testing.assert_close(ratio, ratio.mean((2, 3), keepdim=True).expand_as(ratio))


@pytest.mark.parametrize(("squeeze_excite", "convolutions"), [(False, 3), (True, 5)])
def test_layers_of_one_block(squeeze_excite: bool, convolutions: int) -> None:
    layers = block_layers(place("mbconv", 8, 8, (4, 4), kernel=3, expansion=4, squeeze_excite=squeeze_excite))
    ops = [layer.op for layer in layers]
    assert ops.count("conv") + ops.count("depthwise") == convolutions
    assert ops[-1] == "add"


@settings(max_examples=15)
@given(
    pair([8, 16, 24]),
    pair([8, 16, 32]),
    pair([2, 4]),
    st.sampled_from([1, 2]),
    st.sampled_from(["relu6", "silu"]),
    st.tuples(st.integers(2, 7), st.integers(2, 7)),
)
def test_the_efficientnet_style_is_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    expansions: list[int],
    stride: int,
    activation: str,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "mbconv",
            in_widths[i],
            in_widths[i] if stride == 1 else out_widths[i],
            size,
            kernel=3,
            expansion=expansions[i],
            stride=stride,
            activation=activation,
            squeeze_excite=True,
            squeeze_style="efficientnet",
        )
        for i in (0, 1)
    )
    check_block(small, large)


@settings(max_examples=15)
@given(
    pair([8, 16, 24]),
    pair([32, 40]),
    pair([1, 4]),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.tuples(st.integers(2, 7), st.integers(2, 7)),
)
def test_a_projection_shortcut_is_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    expansions: list[int],
    stride: int,
    same_width: bool,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "mbconv",
            in_widths[i],
            in_widths[i] if same_width else out_widths[i],
            size,
            kernel=3,
            expansion=expansions[1],
            stride=stride,
            projection=True,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_an_expansion_of_one_may_keep_its_convolution() -> None:
    small, large = (
        place("mbconv", width, width, (5, 5), kernel=3, expansion=1, always_expand=True) for width in (8, 16)
    )
    check_block(small, large)
    assert [layer.op for layer in block_layers(small)].count("conv") == 2


def test_styles_of_squeeze_and_excitation() -> None:
    assert [squeezed_width(24, 144, style) for style in ("mobilenetv3", "efficientnet")] == [40, 6]
    gate = module_of(place("mbconv", 24, 24, (4, 4), kernel=3, expansion=6, squeeze_excite=True)).squeeze_excite
    assert gate.reduce.out_channels == 40


def test_an_unknown_style_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown squeeze_style 'efficient': did you mean 'efficientnet'"):
        module_of(place("mbconv", 8, 8, (4, 4), kernel=3, expansion=2, squeeze_style="efficient"))
