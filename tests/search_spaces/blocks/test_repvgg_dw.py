from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.repvgg_dw import RepDepthwise
from search_spaces.errors import UsageError
from search_spaces.reparameterise import merge
from search_spaces.testing_blocks import check_block, fill, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=10)
@given(pair([4, 6, 10]), pair([8, 16, 40]), pair([1, 2, 3]), st.booleans(), st.integers(2, 7))
def test_nested_and_counted(
    in_widths: list[int], out_widths: list[int], expansions: list[int], first: bool, side: int
) -> None:
    small, large = (
        place(
            "repvgg_dw",
            in_widths[i] if first else out_widths[i],
            out_widths[i],
            (side, 5),
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_merging_changes_nothing() -> None:
    block = module_of(place("repvgg_dw", 8, 16, (7, 5), stride=2)).eval()
    fill(block, torch.Generator().manual_seed(0))
    x = torch.randn(2, 8, 7, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, merged = block(x), merge(block)
        after = merged(x)
    assert float((before - after).abs().max() / before.abs().max()) < 1e-5
    assert not any(isinstance(module, RepDepthwise) for module in merged.modules())


def test_another_width_takes_a_stride() -> None:
    placed = place("repvgg_dw", 8, 16, (4, 4))
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=r"repvgg_dw block of stride 1 got widths 8 -> 16"):
            use(placed)
