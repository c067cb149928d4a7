from __future__ import annotations

import torch

from search_spaces.block import module_of
from search_spaces.testing_blocks import check_layers, place_head, pyramid


def test_costs_what_fvcore_counts() -> None:
    for size, width in (((3, 2), 8), ((1, 5), 12)):
        check_layers(place_head("segmentation_head", width, 4, size, decoder_width=8), pyramid)


def test_gives_logits_of_every_pixel_of_an_image_that_is_not_square() -> None:
    placed = place_head("segmentation_head", 8, 4, (3, 2))
    logits = module_of(placed)(pyramid(8, (3, 2), torch.Generator().manual_seed(0)))
    assert logits.shape == (2, 4, 12, 8)


def test_every_level_reaches_the_logits() -> None:
    module = module_of(place_head("segmentation_head", 8, 4, (3, 2))).eval()
    maps = pyramid(8, (3, 2), torch.Generator().manual_seed(0))
    before = module(maps)
    for number in (1, 2):
        changed = [one + 1 if place == number else one for place, one in enumerate(maps)]
        assert not torch.equal(module(changed), before)
