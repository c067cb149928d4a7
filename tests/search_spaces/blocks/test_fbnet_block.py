from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, check_layers, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=20)
@given(
    pair([8, 16, 24]),
    pair([8, 16, 32]),
    pair([3, 5]),
    pair([1, 3, 6]),
    st.booleans(),
    st.tuples(st.integers(2, 7), st.integers(2, 7)),
)
def test_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    kernels: list[int],
    expansions: list[int],
    same: bool,
    size: tuple[int, int],
) -> None:
    stride = 1 if same else 2
    small, large = (
        place(
            "fbnet_block",
            in_widths[i],
            in_widths[i] if same else out_widths[i],
            size,
            kernel=kernels[i],
            expansion=expansions[i],
            stride=stride,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize("stride", [1, 2])
def test_two_groups_are_counted(stride: int) -> None:
    check_layers(place("fbnet_block", 8, 8, (5, 4), kernel=3, expansion=1, groups=2, stride=stride))


def test_kernels_nest_in_two_groups() -> None:
    small, large = (place("fbnet_block", 8, 8, (5, 4), kernel=k, expansion=1, groups=2) for k in (3, 5))
    check_block(small, large)


def test_groups_name_other_parameters() -> None:
    names = [
        {name.split(".")[0] for name, _ in module_of(placed).named_parameters()}
        for placed in (place("fbnet_block", 8, 8, (4, 4), kernel=3, expansion=1, groups=g) for g in (1, 2))
    ]
    assert names == [{"groups1"}, {"groups2"}]


@pytest.mark.parametrize(("out_width", "stride"), [(8, 1), (12, 1), (8, 2)])
def test_a_skip_is_the_identity_where_the_shape_allows(out_width: int, stride: int) -> None:
    placed = place("fbnet_skip", 8, out_width, (5, 4), stride=stride)
    check_layers(placed)
    block, x = module_of(placed), torch.rand(1, 8, 5, 4)
    same = out_width == 8 and stride == 1
    assert bool(list(block.parameters())) is not same
    if same:
        assert torch.equal(block(x), x)


def test_groups_that_do_not_divide_the_width() -> None:
    with pytest.raises(UsageError, match="fbnet_block got groups 2 for 9 input channels: give a divisor"):
        module_of(place("fbnet_block", 9, 8, (4, 4), kernel=3, expansion=1, groups=2))
