from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, fill, place


@settings(max_examples=10)
@given(
    st.lists(st.sampled_from([8, 16, 24]), min_size=2, max_size=2).map(sorted),
    st.sampled_from([2, 4]),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_nested_and_counted(widths: list[int], patch: int, cells: tuple[int, int]) -> None:
    size = (cells[0] * patch, cells[1] * patch)
    small, large = (place("cross_scale_embed", 3, width, size, stride=patch) for width in widths)
    check_block(small, large)


def test_channels_of_a_cell_come_from_patches_of_four_sizes() -> None:
    stem = module_of(place("cross_scale_embed", 1, 8, (32, 32), stride=2))
    fill(stem, torch.Generator().manual_seed(0))
    x = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(1), requires_grad=True)
    stem.norm = torch.nn.Identity()
    found = stem(x)[0, :, 8, 8]
    sides = []
    for channel in found:
        (gradient,) = torch.autograd.grad(channel, x, retain_graph=True)
        sides.append(int(gradient.ne(0).any(-1).sum()))
    assert sides == [2, 2, 2, 2, 4, 4, 8, 16]


@pytest.mark.parametrize(
    ("width", "patch", "message"),
    [
        (12, 4, "a cross_scale_embed block got width 12: allowed: multiples of 8"),
        (16, 3, r"patch 3 of a cross-scale stem at resolution 12x12: allowed: even divisors \[2, 4, 6, 12\]"),
        (16, 8, r"patch 8 of a cross-scale stem at resolution 12x12: allowed: even divisors \[2, 4, 6, 12\]"),
    ],
)
def test_stems_that_can_not_stand(width: int, patch: int, message: str) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(place("cross_scale_embed", 3, width, (12, 12), stride=patch))
