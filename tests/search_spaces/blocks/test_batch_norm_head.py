from __future__ import annotations

import torch

from search_spaces.block import module_of
from search_spaces.testing_blocks import check_block, place


def test_nested_and_counted() -> None:
    small, large = (place("batch_norm_head", width, 5, (3, 4)) for width in (6, 11))
    check_block(small, large)


def test_the_averages_are_normalised() -> None:
    head = module_of(place("batch_norm_head", 4, 2, (2, 2)))
    x = torch.randn(8, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(head(x), head(3 * x + 5), rtol=1e-3, atol=1e-3)
