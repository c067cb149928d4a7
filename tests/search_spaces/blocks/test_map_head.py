from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import module_of
from search_spaces.blueprint import PlacedBlock
from search_spaces.conv import Size
from search_spaces.testing_blocks import check_block, fill, place


def cells(width: int, size: Size, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, size[0] * size[1], width, generator=generator)


def head(width: int, heads: int, mlp_width: int, size: Size = (2, 3)) -> PlacedBlock:
    return place("map_head", width, 5, size, heads=heads, head_dim=4, mlp_width=mlp_width)


@settings(max_examples=10)
@given(
    st.lists(st.sampled_from([8, 12, 16]), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(1, 3), min_size=2, max_size=2).map(sorted),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_nested_and_counted(widths: list[int], heads: list[int], size: Size) -> None:
    small, large = (head(widths[i], heads[i], 2 * widths[i], size) for i in (0, 1))
    check_block(small, large, cells)


def test_the_order_of_the_tokens_does_not_matter() -> None:
    module, generator = module_of(head(8, 2, 16)).double(), torch.Generator().manual_seed(0)
    fill(module, generator)
    x = cells(8, (2, 3), generator).double()
    torch.testing.assert_close(module(x), module(x[:, [5, 3, 1, 0, 2, 4]]))


def test_equal_tokens_are_pooled_to_one_of_them() -> None:
    module, generator = module_of(head(8, 2, 16)).double(), torch.Generator().manual_seed(0)
    fill(module, generator)
    token = cells(8, (1, 1), generator).double()
    torch.testing.assert_close(module(token.expand(-1, 6, -1)), module(token))
