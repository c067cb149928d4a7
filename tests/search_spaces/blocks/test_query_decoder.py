from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from search_spaces.blocks.query_decoder import QueryDecoder, sine_positions
from search_spaces.blueprint import Level
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total
from search_spaces.testing_blocks import fill

LEVELS = (
    Level("image", 3, (12, 8)),
    Level("stage1", 4, (6, 4)),
    Level("stage2", 4, (3, 4)),
    Level("stage3", 4, (2, 1)),
)
ONE = LEVELS[:2]


def inputs(levels: tuple[Level, ...], width: int, num: int = 2) -> tuple[Tensor, list[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    features, *scales = [torch.randn(num, width, *level.size, generator=generator) for level in levels[1:]]
    return features, scales[::-1] or [features]


def filled(levels: tuple[Level, ...], queries: int = 5, width: int = 8) -> QueryDecoder:
    module = QueryDecoder(levels, queries, width, 3).eval()
    fill(module, torch.Generator().manual_seed(1))
    return module


class OfOne(nn.Module):
    """The decoder as a module of one input and one output, which fvcore traces."""

    def __init__(self, decoder: QueryDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, given: tuple[Tensor, ...]) -> Tensor:
        return torch.cat(self.decoder(given[0], given[1:]), 2)


@pytest.mark.parametrize("levels", [LEVELS, ONE])
def test_gives_a_class_and_a_mask_of_every_query(levels: tuple[Level, ...]) -> None:
    classes, masks = filled(levels)(*inputs(levels, 8))
    assert classes.shape == (2, 5, 3)
    assert masks.shape == (2, 5, 24)
    assert bool((classes > 0).all())
    assert bool(((masks >= 0) & (masks <= 1)).all())
    # The rest is the probability of no object.
    assert bool((classes.sum(-1) < 1).all())


@pytest.mark.parametrize("levels", [LEVELS, ONE])
@pytest.mark.parametrize(("queries", "width"), [(5, 8), (1, 12)])
def test_costs_what_fvcore_counts(levels: tuple[Level, ...], queries: int, width: int) -> None:
    found = total(QueryDecoder.layers(levels, queries, width, 3), "fvcore")
    features, scales = inputs(levels, width, 1)
    measured = fvcore_totals(OfOne(QueryDecoder(levels, queries, width, 3)), (features, *scales))
    assert (found.params, found.macs, found.activations) == measured


def test_a_query_looks_inside_its_mask_and_everywhere_if_that_is_empty() -> None:
    decoder = filled(LEVELS, queries=8)
    features, _ = inputs(LEVELS, 8)
    queries = decoder.queries.expand(2, -1, -1)
    masks = decoder.mask_logits(decoder.norm(queries), features) >= 0
    visible = decoder.visible(queries, features)
    empty = ~masks.any(-1)
    assert torch.equal(visible[~empty], masks[~empty])
    assert bool(visible.any(-1).all())
    nowhere = decoder.visible(
        queries, torch.zeros_like(features) - 1e9 * decoder.mask(decoder.norm(queries))[:, 0, :, None, None]
    )
    assert bool(nowhere[:, 0].all())


def test_positions_of_a_channel_do_not_depend_on_how_many_there_are() -> None:
    like = torch.zeros(1, dtype=torch.float64)
    small, large = sine_positions((3, 5), 6, like), sine_positions((3, 5), 16, like)
    assert small.shape == (6, 3, 5)
    assert torch.equal(small, large[:6])


def test_positions_tell_all_cells_apart() -> None:
    cells = sine_positions((7, 9), 8, torch.zeros(1)).flatten(1).T
    assert float(torch.cdist(cells, cells).fill_diagonal_(1).min()) > 0.1
