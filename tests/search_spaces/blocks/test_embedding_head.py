from __future__ import annotations

import torch

from search_spaces.block import module_of
from search_spaces.testing_blocks import check_layers, fill, place_head, pyramid


def test_costs_what_fvcore_counts() -> None:
    check_layers(place_head("embedding_head", 8, 5, (3, 2)), pyramid)


def test_vectors_have_length_one() -> None:
    module = module_of(place_head("embedding_head", 8, 5, (3, 2)))
    fill(module, torch.Generator().manual_seed(0))
    vectors = module(pyramid(8, (3, 2), torch.Generator().manual_seed(1)))
    assert vectors.shape == (2, 5)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
