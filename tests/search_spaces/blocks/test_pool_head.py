from __future__ import annotations

import pytest
import torch

from search_spaces.block import block_layers, module_of
from search_spaces.testing_blocks import check_layers, check_nesting, place


@pytest.mark.parametrize("expand_widths", [(0, 0), (24, 40)])
def test_nested_and_counted(expand_widths: tuple[int, int]) -> None:
    small, large = (
        place("pool_head", width, 5, (3, 4), expand_width=expand, activation="silu")
        for width, expand in zip((8, 16), expand_widths, strict=True)
    )
    check_nesting(small, large)
    check_layers(large)


def test_the_head_is_the_mean_and_a_linear_map() -> None:
    head = module_of(place("pool_head", 4, 3, (5, 5), dropout=0.5)).eval()
    x = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(head(x), head.classifier(x.mean((2, 3))))


def test_the_classifier_adds_its_bias() -> None:
    assert [layer.bias for layer in block_layers(place("pool_head", 4, 3, (5, 5)))] == [0, 3]
