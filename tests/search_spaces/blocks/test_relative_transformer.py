from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.relative_transformer import MAX_OFFSET, relative_indices
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, fill, place, tokens


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


GRIDS = st.tuples(st.integers(1, 5), st.integers(1, 5))


@settings(max_examples=15)
@given(st.sampled_from([8, 24]), pair([1, 2, 3, 4]), pair([1, 2, 3, 4]), st.sampled_from([4, 8]), GRIDS, st.booleans())
def test_heads_and_hidden_width_are_nested_exactly_at_one_width(
    width: int, heads: list[int], ratios: list[int], head_dim: int, grid: tuple[int, int], relative: bool
) -> None:
    small, large = (
        place(
            "relative_transformer",
            width,
            width,
            grid,
            heads=heads[i],
            head_dim=head_dim,
            mlp_ratio=ratios[i] + 0.5,
            relative=relative,
        )
        for i in (0, 1)
    )
    check_block(small, large, tokens)


@settings(max_examples=10)
@given(pair([8, 16, 24]), pair([1, 2, 3]), GRIDS, st.booleans())
def test_widths_are_nested_under_the_masked_norm(
    widths: list[int], heads: list[int], grid: tuple[int, int], relative: bool
) -> None:
    small, large = (
        place(
            "relative_transformer",
            widths[i],
            widths[i],
            grid,
            heads=heads[i],
            head_dim=4,
            mlp_ratio=3.5,
            relative=relative,
        )
        for i in (0, 1)
    )
    check_block(small, large, tokens)


def test_attention_is_the_formula_of_the_paper() -> None:
    grid, heads, head_dim, width = (2, 3), 2, 4, 12
    block = module_of(
        place("relative_transformer", 12, 12, grid, heads=heads, head_dim=head_dim, mlp_ratio=2.0)
    ).double()
    generator = torch.Generator().manual_seed(0)
    fill(block, generator)
    attention = block.attention
    x = tokens(width, grid, generator).double()
    num, length = x.shape[:2]
    qkv = attention.qkv(x).view(num, length, 3, heads, head_dim)
    keys, values = attention.keys(), attention.values()
    expected = torch.zeros(num, length, heads, head_dim, dtype=torch.float64)
    for n in range(num):
        for h in range(heads):
            q, k, v = (qkv[n, :, part, h] for part in range(3))
            for i in range(length):
                scores = torch.stack([q[i] @ (k[j] + keys[i, j]) for j in range(length)]) / head_dim**0.5
                weights = scores.softmax(0)
                expected[n, i, h] = sum(weights[j] * (v[j] + values[i, j]) for j in range(length))
    torch.testing.assert_close(attention(x), attention.projection(expected.flatten(2)))


def test_offsets_are_clipped_and_the_class_token_has_an_entry_of_its_own() -> None:
    rows, columns = relative_indices((2, MAX_OFFSET + 6), torch.device("cpu"))
    assert rows.shape == columns.shape == (1 + 2 * (MAX_OFFSET + 6),) * 2
    for table in (rows, columns):
        assert not table[0].any()
        assert not table[:, 0].any()
        assert int(table[1:, 1:].min()) >= 1
    assert (int(columns[1:, 1:].min()), int(columns[1:, 1:].max())) == (1, 2 * MAX_OFFSET + 1)
    assert int(rows[1, 1]) == int(columns[5, 5]) == MAX_OFFSET + 1
    assert int(columns[1, 2]) == MAX_OFFSET + 2
    assert int(rows[1, -1]) == MAX_OFFSET + 2


def test_widths_that_differ_are_an_error() -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match="a relative_transformer block got widths 8 -> 16: give it equal widths"):
            call(place("relative_transformer", 8, 16, (2, 2), heads=1, head_dim=4, mlp_ratio=2.0))
