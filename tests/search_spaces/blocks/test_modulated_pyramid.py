from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from search_spaces.blocks.modulated_pyramid import ModulatedPyramid, scale_levels
from search_spaces.blueprint import Level
from search_spaces.conv import Size
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total
from search_spaces.testing_blocks import fill

WIDTH = 8
PYRAMIDS: tuple[tuple[Size, ...], ...] = (((4, 6),), ((12, 8), (6, 4), (3, 2)), ((13, 9), (4, 3)))


def levels(sizes: tuple[Size, ...]) -> tuple[Level, ...]:
    image = Level("image", 3, (2 * sizes[0][0], 2 * sizes[0][1]))
    return image, *(Level(f"stage{n}", 4 + n, size) for n, size in enumerate(sizes, start=1))


def maps(sizes: tuple[Size, ...], num: int = 2) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(num, level.width, *level.size, generator=generator) for level in levels(sizes))


def filled(sizes: tuple[Size, ...]) -> ModulatedPyramid:
    module = ModulatedPyramid(levels(sizes), WIDTH).eval()
    fill(module, torch.Generator().manual_seed(1))
    return module


@pytest.mark.parametrize("sizes", PYRAMIDS)
def test_gives_features_of_the_finest_level_and_a_map_of_every_scale(sizes: tuple[Size, ...]) -> None:
    features, scales = filled(sizes)(maps(sizes))
    assert features.shape == (2, WIDTH, *sizes[0])
    expected = [level.size for level in reversed(scale_levels(levels(sizes)))]
    assert [tuple(one.shape) for one in scales] == [(2, WIDTH, *size) for size in expected]
    assert len(scales) == max(1, len(sizes) - 1)


@pytest.mark.parametrize("sizes", PYRAMIDS)
def test_costs_what_fvcore_counts(sizes: tuple[Size, ...]) -> None:
    found = total(ModulatedPyramid.layers(levels(sizes), WIDTH), "fvcore")
    measured = fvcore_totals(ModulatedPyramid(levels(sizes), WIDTH), maps(sizes, 1))
    assert (found.params, found.macs, found.activations) == measured


def test_it_is_its_equation() -> None:
    """Of the two coarsest levels, written out."""
    sizes = PYRAMIDS[1]
    module, x = filled(sizes).double(), [one.double() for one in maps(sizes)]
    lateral = module.lateral(x)

    def modulated(name: str, one: Tensor) -> Tensor:
        gate: nn.Module = module.modulate[name]
        hidden = torch.relu(gate.reduce(one.mean((2, 3), keepdim=True)))  # type: ignore[operator]
        return one * (1 + gate.expand(hidden).sigmoid())  # type: ignore[operator]

    context = torch.relu(module.context(x[-1].mean((2, 3), keepdim=True)))
    coarsest = module.deform["stage3"](modulated("stage3", lateral[2]) + context)
    larger = nn.functional.interpolate(coarsest, size=(6, 4), mode="bilinear", align_corners=False)
    middle = module.deform["stage2"](modulated("stage2", lateral[1]) + larger)
    found = module(x)[1]
    for one, other in zip(found, (coarsest, middle), strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


def test_the_context_of_the_coarsest_level_reaches_everything() -> None:
    sizes = PYRAMIDS[1]
    module, given = filled(sizes), list(maps(sizes))
    before = module(given)
    given[-1] = given[-1] + 1
    after = module(given)
    assert not torch.equal(before[0], after[0])
    assert all(not torch.equal(one, other) for one, other in zip(before[1], after[1], strict=True))
