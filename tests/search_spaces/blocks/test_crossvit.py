from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.crossvit import ClassExchange
from search_spaces.blueprint import PlacedBlock
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, fill, place

RATIO = 0.7


def both(width: int, size: Size, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Tokens of a small branch of half the width and of a large branch."""
    grids = (size, (max(1, round(size[0] * RATIO)), max(1, round(size[1] * RATIO))))
    return tuple(
        torch.randn(2, 1 + rows * columns, channels, generator=generator)
        for (rows, columns), channels in zip(grids, (width // 2, width), strict=True)
    )


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


def block(width: int, size: Size, heads: int, ratio: int = 2, depths: tuple[int, int] = (1, 2)) -> PlacedBlock:
    return place(
        "crossvit",
        width,
        width,
        size,
        small_width=width // 2,
        heads=heads,
        head_dim=4,
        small_head_dim=2,
        mlp_width=width * ratio,
        small_mlp_width=width * ratio // 2,
        small_depth=depths[0],
        large_depth=depths[1],
    )


@settings(max_examples=10)
@given(pair([8, 12, 16]), pair([1, 2, 3]), pair([1, 2, 3]), st.tuples(st.integers(2, 5), st.integers(2, 5)))
def test_nested_and_counted(widths: list[int], heads: list[int], ratios: list[int], size: Size) -> None:
    small, large = (block(widths[i], size, heads[i], ratios[i]) for i in (0, 1))
    check_block(small, large, both)


@settings(max_examples=5)
@given(st.integers(0, 2), st.integers(0, 3))
def test_branches_of_any_depth_are_counted(small_depth: int, large_depth: int) -> None:
    placed = block(8, (3, 3), 2, depths=(small_depth, large_depth))
    check_block(placed, placed, both)


def test_the_exchange_changes_the_class_token_alone_and_sees_the_other_branch() -> None:
    exchange = ClassExchange(4, 6, 2, 3)
    fill(exchange, torch.Generator().manual_seed(0))
    tokens, others = (torch.randn(1, 5, width, requires_grad=True) for width in (4, 6))
    out = exchange(tokens, others)
    assert torch.equal(out[:, 1:], tokens[:, 1:])
    of_tokens, of_others = torch.autograd.grad(out[:, 0].sum(), (tokens, others))
    assert of_tokens[0].ne(0).any(-1).tolist() == [True, False, False, False, False]
    assert of_others[0].ne(0).any(-1).tolist() == [False, True, True, True, True]


def test_a_crossvit_block_keeps_its_width() -> None:
    sizes = dict(block(8, (4, 4), 2).settings)
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match="a crossvit block of stride 1 got widths 8 -> 16: give it equal widths"):
            call(place("crossvit", 8, 16, (4, 4), **sizes))
