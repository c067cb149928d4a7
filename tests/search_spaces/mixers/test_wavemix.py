from __future__ import annotations

import pytest
import torch

from search_spaces.layers import total
from search_spaces.mixers.place import Place
from search_spaces.mixers.wavemix import WaveMix
from search_spaces.testing_blocks import fill


@pytest.mark.parametrize("size", [(8, 8), (5, 7), (1, 3)])
@pytest.mark.parametrize("window", [2, 4, 8])
def test_the_output_is_as_large_as_the_input(size: tuple[int, int], window: int) -> None:
    """Sides that 2^levels does not divide are padded and cut."""
    place = Place(8, size, window=window)
    module = WaveMix(place).eval()
    fill(module, torch.Generator().manual_seed(0))
    assert module(torch.randn(2, 8, *size)).shape == (2, 8, *size)
    assert sum(parameter.numel() for parameter in module.parameters()) == total(WaveMix.layers(place, 0)).params


def test_the_wavelets_have_no_parameters() -> None:
    """One level of width C: 1x1 to C / 4, two 1x1 of 2 C, transposed 4x4, norm: and nothing else."""
    width = 16
    names = {name for name, _ in WaveMix(Place(width, (4, 4), window=2)).named_parameters()}
    assert {name.split(".")[-2] for name in names} == {"squeeze", "expand", "reduce", "up", "norm"}


def test_a_cell_reaches_as_far_as_the_deepest_level() -> None:
    """With two levels a cell changes its 4x4 block and what the transposed convolutions spread, not the far corner."""
    module = WaveMix(Place(8, (16, 16), window=4)).eval()
    fill(module, torch.Generator().manual_seed(0))
    x = torch.zeros(1, 8, 16, 16)
    moved = x.clone()
    moved[..., 0, 0] = 1
    with torch.no_grad():
        changed = (module(moved) - module(x)).abs().sum(1)[0]
    assert changed[0, 0] > 0
    assert changed[3, 3] > 0
    assert not changed[8:, 8:].any()
