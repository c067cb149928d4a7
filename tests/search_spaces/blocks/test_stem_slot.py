from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from search_spaces.block import block_layers, module_of
from search_spaces.blueprint import PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.layers import total
from search_spaces.testing_blocks import check_block, place


@pytest.mark.parametrize("stride", [2, 4, 8])
@pytest.mark.parametrize("stem", ["patch", "conv", "cross_scale"])
def test_every_stem_is_nested_and_counted(stem: str, stride: int) -> None:
    small, large = (place("stem_slot", 3, width, (16, 8), stem=stem, stride=stride) for width in (8, 16))
    check_block(small, large)
    assert module_of(small)(torch.randn(2, 3, 16, 8)).shape == (2, 8, 16 // stride, 8 // stride)


def test_the_early_convolutions_of_vit_c() -> None:
    """Patch 16: four 3x3 of stride 2 and 48 to 384 channels, then 1x1 (Xiao et al. 2021, table 1, 1 GF: 24 to 192)."""
    stem = place("early_conv_stem", 3, 384, (224, 224), stride=16)
    convs = [layer for layer in block_layers(stem) if layer.op == "conv"]
    widths = [3, 48, 96, 192, 384]
    expected = [9 * a * b for a, b in pairwise(widths)] + [384 * 385]
    assert [layer.params for layer in convs] == expected
    assert convs[-1].outputs == 384 * 14 * 14
    assert total(block_layers(stem)).params == sum(expected) + 2 * sum(widths[1:])


@pytest.mark.parametrize(
    ("placed", "message"),
    [
        (place("stem_slot", 3, 8, (8, 8), stem="pitch", stride=2), "unknown stem 'pitch': did you mean 'patch'"),
        (place("stem_slot", 3, 8, (9, 8), stem="patch", stride=2), "patch 2 does not divide the resolution 9x8"),
        (place("stem_slot", 3, 8, (9, 8), stem="cross_scale", stride=2), "patch 2 of a cross-scale stem"),
        (place("stem_slot", 3, 8, (9, 8), stem="conv", stride=3), "early_conv_stem got stride 3: allowed: 2, 4, 8"),
        (place("stem_slot", 3, 6, (8, 8), stem="conv", stride=8), "stride 8 got width 6: allowed: multiples of 4"),
    ],
)
def test_stems_that_can_not_stand_there(placed: PlacedBlock, message: str) -> None:
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            use(placed)
