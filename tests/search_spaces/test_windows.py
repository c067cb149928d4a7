from __future__ import annotations

import pytest
import torch

from search_spaces.errors import UsageError
from search_spaces.layout import layout_of, take
from search_spaces.window_sizes import check_stages, clipped_window
from search_spaces.windows import (
    RelativeBias,
    far_windows,
    from_far_windows,
    from_near_windows,
    near_windows,
    relative_index,
    shift_mask,
)

CPU = torch.device("cpu")


def cells(height: int, width: int) -> torch.Tensor:
    """A map (1, H, W, 1) that holds each cell's number."""
    return torch.arange(height * width).view(1, height, width, 1)


def test_near_and_far_windows_by_hand() -> None:
    near, far = (split(cells(4, 4), 2)[..., 0].tolist() for split in (near_windows, far_windows))
    assert near == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    assert far == [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]]


@pytest.mark.parametrize("side", [1, 2, 4])
def test_windows_are_put_back(side: int) -> None:
    x = torch.randn(3, 4, 8, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(from_near_windows(near_windows(x, side), side, (4, 8)), x)
    assert torch.equal(from_far_windows(far_windows(x, side), side, (4, 8)), x)


def test_pairs_of_one_offset_share_one_entry() -> None:
    index = relative_index(3, CPU)
    assert index.shape == (9, 9)
    assert int(index.min()) == 0
    assert int(index.max()) == 24
    assert (index.diagonal() == 12).all()
    assert index[0, 1] == index[4, 5] == index[7, 8] == 11
    assert index[0, 3] == index[1, 4] == 12 - 5


def test_a_rolled_map_lets_old_neighbours_see_each_other_alone() -> None:
    side, shift, length = 4, 2, 8
    mask = shift_mask((length, length), side, shift, CPU)
    before = near_windows(cells(length, length).roll((-shift, -shift), (1, 2)), side)[..., 0]
    for window, numbers in enumerate(before.tolist()):
        for i, one in enumerate(numbers):
            for j, other in enumerate(numbers):
                apart = max(abs(one // length - other // length), abs(one % length - other % length))
                assert bool(mask[window, i, j]) == (apart >= side)


def test_the_table_of_a_smaller_window_is_the_centre() -> None:
    large, small = RelativeBias(2, 3), RelativeBias(1, 2)
    with torch.no_grad():
        large.table.copy_(torch.arange(50.0).view(25, 2))
        small.table.copy_(take(large.table, layout_of(large.table), layout_of(small.table)))
    corner = torch.tensor([0, 1, 3, 4])
    assert torch.equal(small()[0], large()[0][corner][:, corner])


def test_a_window_is_clipped_to_the_map_and_must_divide_it() -> None:
    assert [clipped_window(7, size) for size in ((56, 56), (7, 14), (4, 8))] == [7, 7, 4]
    with pytest.raises(UsageError, match=r"window 7 does not divide the map 40x40: allowed: \[1, 2, 4, 5, 8, 10, 20"):
        clipped_window(7, (40, 40))


def test_windows_of_stages() -> None:
    check_stages((12, 12), [(3, 12), (2, 6), (3,)])
    with pytest.raises(UsageError, match=r"window 5 does not divide the map 6x6: allowed: \[1, 2, 3, 6\]"):
        check_stages((12, 12), [(3,), (6, 5)])
    with pytest.raises(UsageError, match="a stage's first block of stride 2 got a map of 3x3: allowed: even sides"):
        check_stages((6, 6), [(3,), (3,), (1,)])
