from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place

WIDTHS = st.lists(st.integers(8, 16), min_size=2, max_size=2).map(sorted)


@settings(max_examples=15)
@given(WIDTHS, WIDTHS, st.sampled_from([1, 2, 4]), st.booleans(), st.tuples(st.integers(4, 11), st.integers(4, 11)))
def test_nested_and_counted(
    inner_widths: list[int], out_widths: list[int], stride: int, middle: bool, size: tuple[int, int]
) -> None:
    small, large = (
        place("residual_stem", 3, out_widths[i], size, inner_width=inner_widths[i], stride=stride, middle=middle)
        for i in (0, 1)
    )
    check_block(small, large)


def test_the_middle_convolution_may_be_skipped() -> None:
    """Its weights have names of their own, so that a network without it is a part of one with it."""
    names = [
        {
            name
            for name, _ in module_of(
                place("residual_stem", 3, 8, (8, 8), inner_width=4, stride=2, middle=middle)
            ).named_parameters()
        }
        for middle in (False, True)
    ]
    assert names[0] < names[1]
    assert all(name.startswith("middle.") for name in names[1] - names[0])


def test_stride_four_ends_in_max_pooling() -> None:
    layers = block_layers(place("residual_stem", 3, 8, (9, 7), inner_width=4, stride=4, middle=True))
    assert (layers[-1].op, layers[-1].outputs) == ("max_pool", 8 * 3 * 2)


def test_other_strides_are_not_allowed() -> None:
    with pytest.raises(UsageError, match=r"stride of the stem got 3: allowed: 1, 2, and 4 \(with pooling\)"):
        module_of(place("residual_stem", 3, 8, (8, 8), inner_width=4, stride=3, middle=True))
