from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@settings(max_examples=10)
@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(1, 6), min_size=2, max_size=2).map(sorted),
    st.sampled_from([2, 4, 6]),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_nested_and_counted(widths: list[int], mids: list[int], patch: int, grid: tuple[int, int]) -> None:
    size = (grid[0] * patch, grid[1] * patch)
    small, large = (place("conv_patch_embed", 3, widths[i], size, stride=patch, mid_width=mids[i]) for i in (0, 1))
    check_block(small, large)


@pytest.mark.parametrize(("patch", "allowed"), [(3, r"\[2, 4, 6, 12\]"), (8, r"\[2, 4, 6, 12\]")])
def test_patches_that_a_convolutional_stem_can_not_have(patch: int, allowed: str) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=f"patch {patch} of a convolutional stem at resolution 12x12: .*{allowed}"):
            call(place("conv_patch_embed", 3, 8, (12, 12), stride=patch))
