from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.maxvit import PartitionAttention
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, fill, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=10)
@given(
    pair([4, 8, 12]),
    pair([8, 12, 16]),
    pair([1, 2, 3]),
    st.sampled_from([2, 4]),
    pair([1, 2]),
    st.sampled_from([1, 2]),
    st.tuples(st.sampled_from([8, 16]), st.sampled_from([8, 16])),
)
def test_maxvit_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    heads: list[int],
    window: int,
    expansions: list[int],
    stride: int,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "maxvit",
            in_widths[i] if stride == 2 else out_widths[i],
            out_widths[i],
            size,
            heads=heads[i],
            head_dim=4,
            mlp_width=2 * out_widths[i],
            window=window,
            expansion=float(expansions[i]),
            stride=stride,
        )
        for i in (0, 1)
    )
    # A shortcut between equal widths has no convolution: it is not nested in one that has.
    assume(stride == 1 or (in_widths[0] == out_widths[0]) == (in_widths[1] == out_widths[1]))
    check_block(small, large)


@pytest.mark.parametrize("stride", [1, 2])
def test_pre_norm_mbconv_nested_and_counted(stride: int) -> None:
    small = place("pre_norm_mbconv", 8, 8, (7, 5), expansion=2.0, stride=stride)
    large = place("pre_norm_mbconv", 16, 16, (7, 5), expansion=3.0, kernel=5, stride=stride)
    check_block(small, large)


def test_maxvit_stem_and_head_nested_and_counted() -> None:
    check_block(place("maxvit_stem", 3, 8, (9, 8), stride=2), place("maxvit_stem", 3, 12, (9, 8), stride=2))
    small = place("maxvit_head", 8, 5, (2, 3), hidden_width=8)
    check_block(small, place("maxvit_head", 12, 5, (2, 3), hidden_width=12))


@pytest.mark.parametrize(("grid", "rows"), [(False, [2, 3]), (True, [0, 2, 4, 6])])
def test_the_cells_that_a_cell_attends_to(grid: bool, rows: list[int]) -> None:
    """Cell (2, 2) of an 8x8 map sees its 2x2 window, or the 4x4 grid of every second row and column."""
    attention = PartitionAttention(4, (8, 8), 4 if grid else 2, 1, 4, 8, grid=grid)
    fill(attention, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 8, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    torch.autograd.backward(attention(x)[0, 2, 2].sum())
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[torch.tensor(rows)[:, None], torch.tensor(rows)] = True
    assert x.grad is not None
    assert torch.equal(x.grad[0].ne(0).any(-1), expected)


@pytest.mark.parametrize(
    ("widths", "size", "stride", "message"),
    [
        ((8, 8), (10, 10), 1, r"window 4 does not divide the map 10x10: allowed: \[1, 2, 5, 10\]"),
        ((8, 8), (12, 12), 2, r"window 4 does not divide the map 6x6: allowed: \[1, 2, 3, 6\]"),
        ((8, 8), (8, 8), 4, "a maxvit block got stride 4: allowed: 1, 2"),
        ((8, 16), (8, 8), 1, "block of stride 1 got widths 8 -> 16"),
    ],
)
def test_maxvit_blocks_that_can_not_stand(
    widths: tuple[int, int], size: tuple[int, int], stride: int, message: str
) -> None:
    placed = place("maxvit", *widths, size, heads=2, head_dim=4, mlp_width=16, window=4, stride=stride)
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(placed)
