"""Published networks by name: ``network("resnetrs101")`` is a blueprint, counted and built like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.registry import Registry

Resolution = tuple[int, int]


@dataclass(frozen=True)
class PublishedNetwork:
    """One published network.

    Attributes:
        family: the space that it belongs to.
        resolution: (height, width) in pixels that it was published at.
        blueprint: makes it for (resolution, num_classes, in_channels).
        source: paper or official repository of its configuration.
        num_classes: that it was published with.
    """

    family: str
    resolution: Resolution
    blueprint: Callable[[Resolution, int, int], Blueprint]
    source: str
    num_classes: int = 1000


networks: Registry[PublishedNetwork] = Registry("network", "search_spaces.published")


def network(
    name: str,
    resolution: int | Resolution | None = None,
    num_classes: int | None = None,
    in_channels: int = 3,
) -> Blueprint:
    """Return the published network called ``name``.

    Args:
        name: as ``nas networks`` lists it.
        resolution: side, or (height, width), in pixels; by default that of its publication.
        num_classes: width of the classifier; by default that of its publication.
        in_channels: of the image.

    Raises:
        UsageError: the name is unknown (close ones are listed), or a block can't stand at this resolution.
    """
    found = networks.get(name)
    size = (resolution, resolution) if isinstance(resolution, int) else resolution or found.resolution
    if min(size) < 1:
        raise UsageError(f"network {name!r} got resolution {size[0]}x{size[1]}: give positive sides in pixels")
    return found.blueprint(size, found.num_classes if num_classes is None else num_classes, in_channels)
