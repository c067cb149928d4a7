from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from search_spaces.block import module_of
from search_spaces.blocks.inception import MIXED, RESIDUALS
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import Inputs, check_block, check_layers, images, place

sizes = st.tuples(st.integers(3, 8), st.integers(3, 8))


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


def smaller_by(border: int) -> Inputs:
    def inputs(width: int, size: Size, generator: torch.Generator) -> Tensor:
        return images(width, (size[0] - border, size[1] - border), generator)

    return inputs


@settings(max_examples=12)
@given(pair([8, 12]), pair([4, 6, 12]), st.sampled_from(sorted(RESIDUALS)), st.booleans(), sizes)
def test_residual_blocks_nest_and_are_counted(
    widths: list[int], inner: list[int], variant: str, relu: bool, size: Size
) -> None:
    small, large = (
        place(
            "inception_residual",
            widths[i],
            widths[i],
            size,
            variant=variant,
            inner_width=inner[i],
            scale=0.2,
            relu=relu,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize("variant", sorted(MIXED))
def test_mixed_blocks_are_counted(variant: str) -> None:
    stride = MIXED[variant].stride
    placed = place("inception_mixed", 10, 41, (7, 6), variant=variant, stride=stride)
    check_layers(placed)
    shape = module_of(placed)(torch.zeros(1, 10, 7, 6)).shape
    assert shape == ((1, 41, 7, 6) if stride == 1 else (1, 41, 4, 3))


@pytest.mark.parametrize("variant", sorted(MIXED))
def test_narrower_branches_are_nested_and_counted(variant: str) -> None:
    small, large = (
        place("inception_mixed", 10, 41, (7, 6), variant=variant, stride=MIXED[variant].stride, hidden_ratio=ratio)
        for ratio in (0.5, 1.0)
    )
    check_block(small, large)
    sizes = [sum(parameter.numel() for parameter in module_of(placed).parameters()) for placed in (small, large)]
    assert sizes[0] < sizes[1]


def test_a_ratio_that_leaves_no_channels() -> None:
    with pytest.raises(UsageError, match=r"hidden_ratio 0: give a positive one"):
        module_of(place("inception_mixed", 10, 41, (7, 6), variant="inception_a", hidden_ratio=0))


@pytest.mark.parametrize(("variant", "sides"), [("mixed_6a", (9, 8)), ("mixed_7a", (7, 9)), ("inception_b", (7, 7))])
def test_unpadded_blocks_are_counted(variant: str, sides: Size) -> None:
    placed = place("inception_mixed", 6, 30, sides, variant=variant, stride=MIXED[variant].stride, border=2)
    check_layers(placed, smaller_by(2))
    check_layers(place("inception_head", 6, 5, sides, expand_width=8, border=2), smaller_by(2))


@pytest.mark.parametrize(("version", "width"), [("resnet_v2", 12), ("v4", 24)])
@pytest.mark.parametrize("padded", [False, True])
def test_stems_are_counted(version: str, width: int, padded: bool) -> None:
    placed = place("inception_stem", 3, width, (75, 107), version=version, stride=8, padded=padded)
    check_layers(placed)
    shape = module_of(placed)(torch.zeros(1, 3, 75, 107)).shape
    assert shape == ((1, width, 10, 14) if padded else (1, width, 7, 11))


def test_a_width_between_is_met_exactly() -> None:
    for width in range(300, 340, 7):
        block = module_of(place("inception_mixed", 192, width, (3, 3), variant="mixed_5b"))
        assert block(torch.zeros(1, 192, 3, 3)).shape[1] == width


@pytest.mark.parametrize(
    ("kind", "given_settings", "message"),
    [
        ("inception_mixed", {"variant": "mixed_5"}, "unknown variant of an inception_mixed block 'mixed_5': did you"),
        ("inception_mixed", {"variant": "mixed_6a", "stride": 1}, "mixed_6a got stride 1: allowed: 2"),
        ("inception_residual", {"variant": "block9", "inner_width": 4, "scale": 0.1}, "unknown variant .*'block8'"),
        ("inception_residual", {"variant": "block8", "inner_width": 0, "scale": 0.1}, "got inner_width 0: give at"),
        ("inception_stem", {"version": "v3"}, "unknown version of an inception_stem 'v3': did you mean 'v4'"),
        ("inception_stem", {"version": "v4", "stride": 4}, "inception_stem block got stride 4: allowed: 8"),
        ("inception_stem", {"version": "v4"}, r"resolution 84 of an unpadded .* allowed: 96, 128, \.\.\."),
    ],
)
def test_settings_that_are_not_allowed(kind: str, given_settings: dict[str, str | int | float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place(kind, 32, 32, (84, 84), **given_settings))


def test_widths_that_are_not_allowed() -> None:
    with pytest.raises(UsageError, match="inception_residual block got widths 8 -> 16: give it equal widths"):
        module_of(place("inception_residual", 8, 16, (4, 4), variant="block8", inner_width=4, scale=0.1))
    with pytest.raises(UsageError, match=r"last branch would have -?[0-9]+ channels: widen the stage"):
        module_of(place("inception_mixed", 64, 32, (4, 4), variant="mixed_6a", stride=2))
