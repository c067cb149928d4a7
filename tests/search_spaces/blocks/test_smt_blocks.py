from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.smt_modulation import ScaleAwareModulation
from search_spaces.blueprint import PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, check_layers, fill, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=12)
@given(pair([4, 6, 10]), pair([8, 12, 20]), pair([1, 2, 4]), st.booleans(), st.integers(2, 7))
def test_modulation_is_nested_and_counted(
    in_widths: list[int], out_widths: list[int], expansions: list[int], first: bool, side: int
) -> None:
    small, large = (
        place(
            "smt_modulation",
            in_widths[i] if first else out_widths[i],
            out_widths[i],
            (side, 5),
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@settings(max_examples=12)
@given(pair([4, 6, 10]), pair([1, 2, 4]), pair([1, 2, 4]), st.booleans(), st.integers(2, 7))
def test_attention_is_nested_and_counted(
    in_widths: list[int], heads: list[int], expansions: list[int], first: bool, side: int
) -> None:
    """Heads of equal width, since the scores are divided by its root."""
    small, large = (
        place(
            "smt_attention",
            in_widths[i] if first else 8 * heads[i],
            8 * heads[i],
            (side, 5),
            heads=heads[i],
            expansion=expansions[i],
            stride=2 if first else 1,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize(("width", "heads"), [(12, 2), (12, 4), (20, 4)])
def test_attention_of_other_widths_is_counted(width: int, heads: int) -> None:
    check_layers(place("smt_attention", width, width, (3, 5), heads=heads, expansion=2))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 4), (7, 4), (3, 2)])
def test_the_stem_is_nested_and_counted(kernel: int, stride: int) -> None:
    small, large = (place("smt_stem", 3, width, (8, 12), kernel=kernel, stride=stride) for width in (6, 10))
    check_block(small, large)


def test_each_group_holds_one_channel_of_every_head() -> None:
    """With the identity for every linear map, output channel c of the grouped convolution sees c // 8 of each head."""
    module = ScaleAwareModulation(8).eval()
    fill(module, torch.Generator().manual_seed(0))
    seen = []
    module.grouped.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        for convolution in module.heads.values():
            assert isinstance(convolution, torch.nn.Conv2d)
            assert convolution.bias is not None
            convolution.weight.zero_()
            centre = convolution.kernel_size[0] // 2
            convolution.weight[:, :, centre, centre] = 1
            convolution.bias.zero_()
        x = torch.randn(1, 2, 2, 8, generator=torch.Generator().manual_seed(0))
        module(x)
        scales = module.scales(x)
    assert torch.equal(seen[0].permute(0, 2, 3, 1), scales[..., [0, 2, 4, 6, 1, 3, 5, 7]])


@pytest.mark.parametrize(
    ("placed", "message"),
    [
        (place("smt_modulation", 6, 6, (4, 4), expansion=2), "smt_modulation block got width 6: allowed: mult.* of 4"),
        (place("smt_modulation", 4, 8, (4, 4), expansion=2), "smt_modulation block of stride 1 got widths 4 -> 8"),
        (place("smt_attention", 4, 8, (4, 4), heads=2, expansion=2), "smt_attention block of stride 1 got widths 4"),
        (
            place("smt_attention", 8, 8, (4, 4), heads=3, expansion=2),
            r"heads 3 of an smt_attention block do not divide the width 8: allowed: \[1, 2, 4, 8\]",
        ),
        (place("smt_stem", 3, 8, (10, 12), kernel=3, stride=4), "patch 4 does not divide the resolution 10x12"),
        (place("smt_stem", 3, 8, (8, 8), kernel=3, stride=8), "smt_stem got stride 8: allowed: 2, 4"),
    ],
)
def test_blocks_that_can_not_stand_there(placed: PlacedBlock, message: str) -> None:
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            use(placed)
