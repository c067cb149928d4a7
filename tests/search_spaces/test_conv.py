from __future__ import annotations

import pytest
import torch

from search_spaces.conv import ACTIVATIONS, ConvNormAct, activation_module, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layout import Plain, centre, layout_of


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(9, 7), (8, 4), (1, 2)])
def test_the_output_has_ceil_of_size_over_stride(kernel: int, stride: int, size: tuple[int, int]) -> None:
    out = ConvNormAct(2, 4, kernel, stride)(torch.ones(2, 2, *size))
    assert out.shape == (2, 4, *strided(size, stride))


def test_kernels_are_shared_from_their_centre() -> None:
    layout = layout_of(ConvNormAct(6, 8, 5, groups=2).conv.weight)
    assert layout == (Plain(8), Plain(3), centre(5), centre(5))


def test_depthwise_is_told_from_other_groups() -> None:
    assert conv_layers(8, 8, (4, 4), 3, groups=8)[0].op == "depthwise"
    assert conv_layers(8, 8, (4, 4), 3, groups=4)[0].op == "conv"
    assert conv_layers(8, 16, (4, 4), 3, groups=8)[0].op == "conv"
    assert conv_layers(1, 1, (4, 4), 3)[0].op == "conv"


def test_an_even_kernel_is_an_error() -> None:
    with pytest.raises(UsageError, match="kernel got 4: same-padded convolutions take odd kernels"):
        ConvNormAct(2, 2, 4)


def test_an_unknown_activation_lists_close_ones() -> None:
    with pytest.raises(UsageError, match="unknown activation 'hardswish': did you mean 'hard_swish'"):
        activation_module("hardswish")


def test_every_activation_keeps_the_shape() -> None:
    x = torch.linspace(-4, 4, 5)
    for name in ACTIVATIONS:
        assert activation_module(name)(x).shape == x.shape
