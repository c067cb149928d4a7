from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@settings(max_examples=15)
@given(
    st.integers(1, 4),
    st.lists(st.integers(1, 24), min_size=2, max_size=2).map(sorted),
    st.sampled_from([1, 2, 4]),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_nested_and_counted(channels: int, widths: list[int], patch: int, grid: tuple[int, int]) -> None:
    size = (grid[0] * patch, grid[1] * patch)
    small, large = (place("patch_embed", channels, width, size, stride=patch) for width in widths)
    check_block(small, large)


def test_the_class_token_stands_first() -> None:
    stem = module_of(place("patch_embed", 3, 8, (4, 8), stride=4))
    with torch.no_grad():
        stem.class_token.fill_(5)
        stem.positions.zero_()
        out = stem(torch.zeros(2, 3, 4, 8))
    assert out.shape == (2, 3, 8)
    assert (out[:, 0] == 5).all()
    torch.testing.assert_close(out[:, 1], stem.projection4.bias.expand(2, 8))


def test_a_patch_that_does_not_divide_the_image_lists_those_that_do() -> None:
    for call in (module_of, block_layers):
        with pytest.raises(
            UsageError, match=r"patch 4 does not divide the resolution 6x12: allowed patches: \[1, 2, 3, 6\]"
        ):
            call(place("patch_embed", 3, 8, (6, 12), stride=4))
