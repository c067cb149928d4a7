from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.swin import WindowAttention
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, fill, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=20)
@given(
    pair([4, 8, 12]),
    pair([8, 12, 16]),
    pair([1, 2, 3]),
    st.sampled_from([2, 4]),
    st.booleans(),
    st.sampled_from([1, 2]),
    st.tuples(st.sampled_from([4, 8]), st.sampled_from([4, 8])),
)
def test_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    heads: list[int],
    window: int,
    shifted: bool,
    stride: int,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "swin",
            in_widths[i] if stride == 2 else out_widths[i],
            out_widths[i],
            size,
            heads=heads[i],
            head_dim=4,
            mlp_width=2 * out_widths[i],
            window=window,
            shifted=shifted,
            stride=stride,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize(
    ("shift", "cell", "seen"),
    [(0, (2, 2), (0, 4)), (2, (2, 2), (2, 6)), (2, (0, 0), (0, 2)), (2, (7, 7), (6, 8))],
)
def test_a_cell_sees_the_cells_of_its_window(shift: int, cell: tuple[int, int], seen: tuple[int, int]) -> None:
    attention = WindowAttention(4, (8, 8), 1, 4, 4, shift)
    fill(attention, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 8, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    torch.autograd.backward(attention(x)[0, cell[0], cell[1]].sum())
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[seen[0] : seen[1], seen[0] : seen[1]] = True
    assert x.grad is not None
    assert torch.equal(x.grad[0].ne(0).any(-1), expected)


@pytest.mark.parametrize(
    ("size", "settings", "message"),
    [
        ((10, 10), {"window": 4}, r"window 4 does not divide the map 10x10: allowed: \[1, 2, 5, 10\]"),
        ((7, 7), {"stride": 2, "window": 7}, "a swin block of stride 2 got a map of 7x7: allowed: even sides"),
        ((8, 8), {"stride": 4, "window": 2}, "a swin block got stride 4: allowed: 1, 2"),
    ],
)
def test_swin_blocks_that_can_not_stand(size: tuple[int, int], settings: dict[str, int], message: str) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(place("swin", 8, 8, size, heads=2, head_dim=4, mlp_width=16, **settings))


def test_a_swin_block_of_stride_1_keeps_its_width() -> None:
    with pytest.raises(UsageError, match="a swin block of stride 1 got widths 8 -> 16: give it equal widths"):
        module_of(place("swin", 8, 16, (8, 8), heads=2, head_dim=4, mlp_width=16, window=4))
