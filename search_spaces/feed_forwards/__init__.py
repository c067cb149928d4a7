"""Feed-forward parts, one file each: what a metaformer block does in each cell after its token mixer.

A part maps (N, H, W, width) to the same shape through ``hidden`` channels and has no residual; the block
``channel_mixer`` puts a norm before it, a channel attention behind it and the sum around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from search_spaces.layers import Layer
from search_spaces.registry import Registry

if TYPE_CHECKING:
    from torch import nn

Size = tuple[int, int]


class FeedForwardType(Protocol):
    """What a part's class gives."""

    def __call__(self, width: int, hidden: int) -> nn.Module:
        """Build the module."""

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs on a map of ``size`` while ``held`` elements wait for the residual sum."""


feed_forwards: Registry[FeedForwardType] = Registry("feed-forward part", "search_spaces.feed_forwards")
