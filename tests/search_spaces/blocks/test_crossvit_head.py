from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.blocks.crossvit_head import CrossVitHead
from search_spaces.conv import Size
from search_spaces.testing_blocks import check_block, fill, place


def both(width: int, size: Size, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Tokens of a small branch of half the width and of a large branch on half the grid."""
    grids = (size, (max(1, round(size[0] * 0.5)), max(1, round(size[1] * 0.5))))
    return tuple(
        torch.randn(2, 1 + rows * columns, channels, generator=generator)
        for (rows, columns), channels in zip(grids, (width // 2, width), strict=True)
    )


@settings(max_examples=10)
@given(
    st.lists(st.sampled_from([4, 8, 12]), min_size=2, max_size=2).map(sorted),
    st.tuples(st.sampled_from([2, 4]), st.sampled_from([2, 4])),
)
def test_nested_and_counted(widths: list[int], size: Size) -> None:
    small, large = (place("crossvit_head", width, 5, size, small_width=width // 2, grid_ratio=0.5) for width in widths)
    check_block(small, large, both)


def test_the_logits_are_the_mean_of_both_branches() -> None:
    head = CrossVitHead(8, 5, (2, 2), small_width=4)
    fill(head, torch.Generator().manual_seed(0))
    small, large = both(8, (2, 2), torch.Generator().manual_seed(1))
    torch.testing.assert_close(head((small, large)), torch.stack([head.small(small), head.large(large)]).mean(0))
