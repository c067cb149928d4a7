from __future__ import annotations

import pytest

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_nested_and_counted(stride: int) -> None:
    small, large = (place("double_conv_stem", 3, width, (9, 6), stride=stride) for width in (6, 10))
    check_block(small, large)


def test_another_stride_lists_the_allowed_ones() -> None:
    placed = place("double_conv_stem", 3, 8, (9, 6), stride=3)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match="double_conv_stem got stride 3: allowed: 1, 2, 4"):
            use(placed)


def test_a_width_without_channels_for_every_part() -> None:
    placed = place("double_conv_stem", 3, 1, (8, 8), stride=2)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match="double_conv_stem block got width 1: allowed: 2 or more"):
            use(placed)
