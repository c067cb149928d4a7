from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=15)
@given(pair([4, 6, 10]), pair([8, 12, 16]), pair([3, 5, 7]), pair([1, 2, 4]), st.booleans(), st.integers(2, 7))
def test_nested_and_counted(
    in_widths: list[int], out_widths: list[int], kernels: list[int], expansions: list[int], first: bool, side: int
) -> None:
    small, large = (
        place(
            "convnext",
            in_widths[i] if first else out_widths[i],
            out_widths[i],
            (side, 5),
            kernel=kernels[i],
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_another_width_takes_a_stride() -> None:
    placed = place("convnext", 8, 16, (4, 4))
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=r"convnext block of stride 1 got widths 8 -> 16: give it equal widths"):
            use(placed)


def test_the_layer_scale_is_applied_to_the_residual_branch() -> None:
    block = module_of(place("convnext", 4, 4, (3, 3)))
    torch.nn.init.zeros_(block.get_parameter("mlp.scale.weight"))
    x = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)
