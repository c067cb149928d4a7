"""Which windows fit a map. No torch here: spaces check their knobs with it before anything heavy loads."""

from __future__ import annotations

from collections.abc import Iterable

from search_spaces.errors import UsageError
from search_spaces.knobs import Value

Size = tuple[int, int]


def clipped_window(window: int, size: Size) -> int:
    """Return the side of the windows of a map: ``window``, or the map's side where that is smaller.

    Raises:
        UsageError: it does not divide the map.
    """
    side = min(window, *size)
    if side < 1 or size[0] % side or size[1] % side:
        allowed = [number for number in range(1, min(size) + 1) if size[0] % number == 0 and size[1] % number == 0]
        raise UsageError(f"window {window} does not divide the map {size[0]}x{size[1]}: allowed: {allowed}")
    return side


def merged_size(kind: str, size: Size, stride: int) -> Size:
    """Return the size of the map after merging.

    Raises:
        UsageError: the stride is neither 1 nor 2, or 2 does not divide the map.
    """
    if stride not in (1, 2):
        raise UsageError(f"a {kind} block got stride {stride}: allowed: 1, 2")
    if size[0] % stride or size[1] % stride:
        raise UsageError(f"a {kind} block of stride 2 got a map of {size[0]}x{size[1]}: allowed: even sides")
    return size[0] // stride, size[1] // stride


def check_stages(size: Size, windows: Iterable[Iterable[Value]]) -> None:
    """Check the windows of each stage of a space; the first stage's map has ``size``, each other half the sides.

    Raises:
        UsageError: a window does not divide its map, or a map can't be halved.
    """
    for index, sides in enumerate(windows):
        size = merged_size("stage's first", size, 2) if index else size
        for side in sides:
            clipped_window(int(side), size)
