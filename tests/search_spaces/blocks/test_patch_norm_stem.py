from __future__ import annotations

import pytest

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@pytest.mark.parametrize("decomposed", [False, True])
@pytest.mark.parametrize("patch", [2, 4])
def test_nested_and_counted(patch: int, decomposed: bool) -> None:
    small, large = (
        place("patch_norm_stem", 3, width, (8, 12), stride=patch, decomposed_norm=decomposed) for width in (6, 10)
    )
    check_block(small, large)


def test_a_patch_that_does_not_divide_names_the_sides_that_it_does() -> None:
    placed = place("patch_norm_stem", 3, 8, (30, 28), stride=4)
    for use in (module_of, block_layers):
        with pytest.raises(
            UsageError, match="patch 4 does not divide the resolution 30x28: allowed sides: multiples of 4"
        ):
            use(placed)
