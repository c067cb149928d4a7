from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.lsconv import aggregate
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=10)
@given(pair([4, 6, 10]), pair([8, 16, 40]), pair([3, 5, 7]), pair([1, 2, 3]), st.booleans(), st.integers(2, 7))
def test_nested_and_counted(
    in_widths: list[int], out_widths: list[int], kernels: list[int], expansions: list[int], first: bool, side: int
) -> None:
    small, large = (
        place(
            "lsconv",
            in_widths[i] if first else out_widths[i],
            out_widths[i],
            (side, 5),
            kernel=kernels[i],
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_the_aggregation_by_its_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 16, 4, 3, generator=generator)
    weights = torch.randn(2, 2, 9, 4, 3, generator=generator)
    found = aggregate(x, weights)
    neighbours = torch.nn.functional.unfold(x, 3, padding=1).view(2, 16, 9, 4, 3)
    expected = torch.stack([(neighbours[:, c] * weights[:, c // 8]).sum(1) for c in range(16)], 1)
    torch.testing.assert_close(found, expected)


def test_a_width_without_whole_groups() -> None:
    placed = place("lsconv", 12, 12, (4, 4))
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match="lsconv block got width 12: allowed: multiples of 8"):
            use(placed)


def test_another_width_takes_a_stride() -> None:
    placed = place("lsconv", 8, 16, (4, 4))
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=r"lsconv block of stride 1 got widths 8 -> 16"):
            use(placed)
