from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.lsnet_attention import OffsetBias
from search_spaces.errors import UsageError
from search_spaces.layout import layout_of, take
from search_spaces.testing_blocks import check_block, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=10)
@given(pair([4, 6, 10]), pair([8, 16, 40]), pair([1, 2, 4]), pair([1, 2, 3]), st.booleans(), st.integers(2, 7))
def test_nested_and_counted(
    in_widths: list[int], out_widths: list[int], heads: list[int], expansions: list[int], first: bool, side: int
) -> None:
    heads = [heads[1]] * 2  # queries are scaled by key_dim alone, values are of width / heads
    small, large = (
        place(
            "lsnet_attention",
            in_widths[i] if first else out_widths[i],
            out_widths[i],
            (side, 5),
            heads=heads[i],
            key_dim=4,
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_the_bias_is_of_absolute_offsets() -> None:
    bias = OffsetBias(2, (2, 3))
    with torch.no_grad():
        bias.table.copy_(torch.arange(12.0).view(2, 2, 3))
        found = bias()
    assert found.shape == (2, 6, 6)
    for i in range(6):
        for j in range(6):
            assert found[1, i, j] == bias.table[1, abs(i // 3 - j // 3), abs(i % 3 - j % 3)]


def test_a_smaller_map_uses_the_smaller_offsets() -> None:
    small, large = OffsetBias(2, (2, 2)), OffsetBias(2, (4, 3))
    with torch.no_grad():
        large.table.copy_(torch.arange(24.0).view(2, 4, 3))
        part = take(large.table, layout_of(large.table), layout_of(small.table))
    assert torch.equal(part, large.table[:, :2, :2])


def test_heads_that_do_not_divide_the_width() -> None:
    placed = place("lsnet_attention", 8, 8, (4, 4), heads=3)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=r"heads 3 of an lsnet_attention .* width 8: allowed: \[1, 2, 4, 8\]"):
            use(placed)
