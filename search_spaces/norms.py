"""The normalisation slot: which norm a map of channels passes (Pan et al. 2018; Wu and He 2018; Ba et al. 2016).

- ``bn``: BatchNorm; ``in``: InstanceNorm, each channel of each image; ``ln``: LayerNorm over the channels of a cell;
- ``gn``: GroupNorm over groups of 8 neighbouring channels: their number and not their width follows the width of the
  map, so that a narrower one is a leading part;
- ``ibn``: half of the channels InstanceNorm, half BatchNorm (IBN-a).

Only ``bn`` and ``ibn`` have running statistics.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import InstanceNorm, Size
from search_spaces.errors import UsageError, unknown
from search_spaces.instance_batch_norm import InstanceBatchNorm
from search_spaces.layers import Layer
from search_spaces.maps import ChannelNorm
from search_spaces.norm_names import GROUP_WIDTH, NORM_NAMES

IBN_RATIO = 0.5


def norm_module(kind: str, width: int) -> nn.Module:
    """Return the norm called ``kind`` for maps (N, width, H, W).

    Raises:
        UsageError: unknown kind, or a width that it can't take.
    """
    _check(kind, width)
    if kind == "bn":
        return nn.BatchNorm2d(width)
    if kind == "in":
        return InstanceNorm(width)
    if kind == "ln":
        return ChannelNorm(width)
    return nn.GroupNorm(width // GROUP_WIDTH, width) if kind == "gn" else InstanceBatchNorm(width, IBN_RATIO)


class NamedNorm(nn.Module):
    """A norm whose kind is part of its parameters' names; (N, width, H, W)."""

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        # Not the kind alone: ``in`` is a word of Python, which exporters that write code stumble over.
        self.kind = f"{kind}_norm"
        self.add_module(self.kind, norm_module(kind, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        out: Tensor = self.get_submodule(self.kind)(x)
        return out


def norm_layers(kind: str, width: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
    """Return what one image costs in ``norm_module``; the norms over a map's cells need more than one."""
    _check(kind, width)
    if kind in ("in", "ibn") and size[0] * size[1] == 1:
        raise UsageError(f"norm {kind!r} got a map of one cell, which it would make zero: allowed: larger maps")
    elements = width * size[0] * size[1]
    if kind == "ibn":
        return InstanceBatchNorm.layers(width, size, IBN_RATIO, held)
    op = {"bn": "batch_norm", "in": "instance_norm", "ln": "layer_norm", "gn": "group_norm"}[kind]
    return (Layer(op, 0, 2 * width, elements, elements, held=held),)


def _check(kind: str, width: int) -> None:
    if kind not in NORM_NAMES:
        raise unknown("norm", kind, NORM_NAMES)
    if kind == "gn" and width % GROUP_WIDTH:
        raise UsageError(f"norm 'gn' got width {width}: allowed: multiples of {GROUP_WIDTH}")
