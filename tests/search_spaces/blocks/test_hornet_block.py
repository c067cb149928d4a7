from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from search_spaces.block import block_layers, module_of
from search_spaces.blocks import global_filter as filters
from search_spaces.blocks.hornet import level_widths
from search_spaces.errors import UsageError
from search_spaces.layout import product
from search_spaces.testing_blocks import check_block, check_layers, check_nesting, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=12)
@given(
    pair([4, 6, 10]),
    pair([8, 16, 20, 45]),
    pair([3, 5, 7]),
    pair([1, 2, 4]),
    st.integers(1, 4),
    st.booleans(),
    st.integers(2, 7),
)
def test_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    kernels: list[int],
    expansions: list[int],
    order: int,
    first: bool,
    side: int,
) -> None:
    small, large = (
        place(
            "hornet",
            in_widths[i] if first else out_widths[i],
            out_widths[i],
            (side, 5),
            order=order,
            kernel=kernels[i],
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(2, 2), (5, 4), (4, 5)])
def test_filtered_blocks_are_counted(order: int, size: tuple[int, int]) -> None:
    check_layers(place("hornet", 16, 16, size, order=order, expansion=2, global_filter=True))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_filtered_blocks_are_nested(order: int) -> None:
    small, large = (place("hornet", width, width, (4, 5), order=order, global_filter=True) for width in (16, 48))
    check_nesting(small, large)


def test_a_filter_of_ones_passes_every_frequency() -> None:
    found = filters.GlobalFilter(3, (4, 5), product(3))
    with torch.no_grad():
        found.weight.zero_()
        found.weight[..., 0] = 1
        x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(found(x), x)
        assert found(x.bfloat16()).dtype == torch.bfloat16


def test_the_halves_of_the_filter_take_turns() -> None:
    found = filters.GlobalLocalFilter(4, (3, 3), product(2))
    for name in ("norm", "out_norm"):
        found.set_submodule(name, nn.Identity())
    with torch.no_grad():
        found.local.weight.zero_()
        found.local.weight[:, :, 1, 1] = 1
        found.spectral.weight.zero_()
        found.spectral.weight[..., 0] = 1
        x = torch.arange(4.0)[None, :, None, None].expand(1, 4, 3, 3)
        torch.testing.assert_close(found(x)[0, :, 0, 0], torch.tensor([0.0, 2.0, 1.0, 3.0]))


@pytest.mark.parametrize(
    ("width", "global_filter", "allowed"),
    [(7, False, "widths of at least 8"), (17, True, "even widths of at least 16")],
)
def test_an_order_that_the_width_can_not_be_halved_for(width: int, global_filter: bool, allowed: str) -> None:
    placed = place("hornet", width, width, (4, 4), order=4, global_filter=global_filter)
    for use in (module_of, block_layers):
        with pytest.raises(
            UsageError, match=f"order 4 of a hornet block does not fit width {width}: allowed: {allowed}"
        ):
            use(placed)


@pytest.mark.parametrize("global_filter", [False, True])
def test_widths_that_do_not_halve_evenly_are_rounded_down(global_filter: bool) -> None:
    """As scaling rules make them."""
    widths = level_widths(44, 4, global_filter)
    assert widths == ([4, 10, 22, 44] if global_filter else [5, 11, 22, 44])
    check_layers(place("hornet", 44, 44, (4, 4), order=4, global_filter=global_filter))


def test_another_width_takes_a_stride() -> None:
    placed = place("hornet", 8, 16, (4, 4), order=2)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=r"hornet block of stride 1 got widths 8 -> 16"):
            use(placed)
