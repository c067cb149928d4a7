from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from search_spaces.block import module_of
from search_spaces.blocks.sub_pixel_head import tanh_conv_layers
from search_spaces.blueprint import Level
from search_spaces.building import initialise
from search_spaces.errors import UsageError
from search_spaces.layers import total
from search_spaces.prediction import Prediction
from search_spaces.testing_blocks import check_layers, place_head, pyramid

SIZE = (3, 2)


def test_costs_what_fvcore_counts() -> None:
    for factor in (2, 3, 4):
        check_layers(place_head("sub_pixel_head", 8, 3, SIZE, factor=factor, hidden_width=8), pyramid)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_unshuffling_the_shuffled_pixels_gives_them_back(factor: int, channels: int, height: int, width: int) -> None:
    cells = torch.randn(2, channels * factor**2, height, width)
    assert torch.equal(nn.functional.pixel_unshuffle(nn.functional.pixel_shuffle(cells, factor), factor), cells)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_convolutions_on_the_small_map_take_one_of_r_squared_macs(factor: int) -> None:
    """Those with tanh, against the same on the large map; the last has r^2 times the channels on 1 / r^2 of it."""
    height, width = 6, 5
    small = total(tanh_conv_layers(16, 32, (height, width), 5)).macs
    assert total(tanh_conv_layers(16, 32, (factor * height, factor * width), 5)).macs == factor**2 * small
    last = total([Prediction.layer(16, 3 * factor**2, (height, width), 3)]).macs
    assert last == total([Prediction.layer(16, 3, (factor * height, factor * width), 3)]).macs


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_output_is_the_image_times_the_factor(factor: int) -> None:
    """The finest map has half the sides of the image: r is twice the factor."""
    module = module_of(place_head("sub_pixel_head", 8, 3, SIZE, factor=factor))
    pixels = module(pyramid(8, SIZE, torch.Generator().manual_seed(0)))
    assert pixels.shape == (2, 3, factor * 12, factor * 8)


def test_map_that_covers_more_than_the_image_is_cut() -> None:
    placed = place_head("sub_pixel_head", 8, 1, SIZE, factor=2)
    odd = replace(placed, levels=(Level("image", 3, (11, 7)), *placed.levels[1:]))
    _, half, last = pyramid(8, SIZE, torch.Generator().manual_seed(0))
    assert module_of(odd)((torch.zeros(2, 3, 11, 7), half, last)).shape == (2, 1, 22, 14)


def test_pixels_of_a_cell_begin_equal() -> None:
    """ICNR: without it the first images show a checkerboard."""
    module = module_of(place_head("sub_pixel_head", 8, 3, SIZE, factor=2))
    pixels = module.get_submodule("pixels")
    for name, parameter in pixels.named_parameters():
        initialise(pixels, name, parameter, 0)
    image = module(pyramid(8, SIZE, torch.Generator().manual_seed(0)))
    blocks = image.unfold(2, 4, 4).unfold(3, 4, 4).flatten(4)
    torch.testing.assert_close(blocks, blocks[..., :1].expand_as(blocks))


def test_a_factor_below_one_is_named() -> None:
    with pytest.raises(UsageError, match="sub_pixel_head got factor 0: allowed: 1, 2, 3"):
        module_of(place_head("sub_pixel_head", 8, 3, SIZE, factor=0))
