from __future__ import annotations

import pytest
import torch

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.pem_head import LEAST_SCORE, PemHead
from search_spaces.blueprint import Setting
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_layers, fill, place_head, pyramid

SIZE = (3, 2)


def filled(**settings: Setting) -> PemHead:
    module = module_of(place_head("pem_head", 8, 4, SIZE, **{"decoder_width": 8, "queries": 5, **settings})).eval()
    assert isinstance(module, PemHead)
    fill(module, torch.Generator().manual_seed(0))
    return module


def test_costs_what_fvcore_counts() -> None:
    for size, width, decoder_width, queries in (((3, 2), 8, 8, 4), ((1, 5), 12, 12, 1)):
        placed = place_head("pem_head", width, 4, size, decoder_width=decoder_width, queries=queries)
        check_layers(placed, pyramid)


def test_gives_logits_of_every_pixel_of_an_image_that_is_not_square() -> None:
    logits = filled()(pyramid(8, SIZE, torch.Generator().manual_seed(0)))
    assert logits.shape == (2, 4, 12, 8)
    assert bool(logits.isfinite().all())


def test_every_level_reaches_the_logits() -> None:
    module = filled()
    maps = pyramid(8, SIZE, torch.Generator().manual_seed(0))
    before = module(maps)
    for number in (1, 2):
        changed = [one + 1 if place == number else one for place, one in enumerate(maps)]
        assert not torch.equal(module(changed), before)


def test_the_softmax_of_the_logits_is_the_share_of_the_papers_scores() -> None:
    """Sum over queries of class probability times mask, each divided by the sum over classes."""
    module = filled().double()
    module.size = (6, 4)
    maps = [one.double() for one in pyramid(8, SIZE, torch.Generator().manual_seed(0))]
    classes, masks = module.decoder(*module.pixels(maps))
    scores = torch.einsum("nqk,nqp->nkp", classes, masks).view(2, 4, 6, 4) + LEAST_SCORE
    torch.testing.assert_close(module(maps).softmax(1), scores / scores.sum(1, keepdim=True), atol=1e-12, rtol=0)


def test_every_parameter_learns() -> None:
    module = filled(queries=8).train()
    module(pyramid(8, SIZE, torch.Generator().manual_seed(0)))[:, 0].sum().backward()
    still = [
        name for name, parameter in module.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert not still


@pytest.mark.parametrize("name", ["queries", "decoder_width"])
def test_a_head_without_queries_or_channels_is_refused(name: str) -> None:
    for value in (0, -3):
        placed = place_head("pem_head", 8, 4, SIZE, **{name: value})
        for make in (module_of, block_layers):
            with pytest.raises(UsageError, match=f"a pem_head got {name} {value}: allowed: 1, 2, 3, ..."):
                make(placed)
