from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.crossvit_stem import CrossVitStem, large_grid
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@settings(max_examples=10)
@given(
    st.lists(st.sampled_from([4, 8, 12]), min_size=2, max_size=2).map(sorted),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([(4, 8, 0.5), (4, 6, 0.7)]),
)
def test_nested_and_counted(widths: list[int], grid: tuple[int, int], patches: tuple[int, int, float]) -> None:
    patch, large_patch, ratio = patches
    small, large = (
        place(
            "crossvit_stem",
            3,
            width,
            (grid[0] * patch, grid[1] * patch),
            small_width=width // 2,
            stride=patch,
            large_patch=large_patch,
            grid_ratio=ratio,
        )
        for width in widths
    )
    check_block(small, large)


def test_a_convolutional_stem_is_nested_and_counted() -> None:
    small, large = (
        place("crossvit_stem", 3, width, (60, 48), small_width=width // 2, convolutional=True) for width in (8, 16)
    )
    check_block(small, large)


def test_the_large_branch_sees_the_whole_image() -> None:
    stem = CrossVitStem(1, 8, (24, 24), small_width=4, stride=4, large_patch=6)
    with torch.no_grad():
        for parameter in stem.parameters():
            parameter.fill_(0)
        dict(stem.named_parameters())["large.projection6.weight"].fill_(1 / 36)
    small, large = stem(torch.full((1, 1, 24, 24), 3.0))
    assert small.shape == (1, 37, 4)
    assert large.shape == (1, 17, 8)
    torch.testing.assert_close(large[:, 1:], torch.full((1, 16, 8), 3.0))


def test_grids_of_the_published_resolutions() -> None:
    assert [large_grid((side, side), 0.7)[0] for side in (20, 34)] == [14, 24]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stride": 5}, r"patch 5 does not divide the resolution 24x24: allowed patches: \[1, 2, 3, 4, 6, 8, 12, 24\]"),
        ({"stride": 8, "convolutional": True}, r"a convolutional crossvit_stem got patch 8: allowed: \[12, 16\]"),
    ],
)
def test_crossvit_stems_that_can_not_stand(settings: dict[str, int], message: str) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(place("crossvit_stem", 3, 8, (24, 24), small_width=4, **settings))
