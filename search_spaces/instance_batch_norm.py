"""IBN-a: a share of the channels InstanceNorm, the others BatchNorm (Pan et al. 2018, figure 3a).

The paper takes the leading channels for InstanceNorm; here they are spread evenly, every second one at a ratio of 1/2,
so that a narrower norm is a leading part of a wider one. The order of channels has no meaning in a network that learns
it. IBN-b, an InstanceNorm behind the residual sum, is the ``in`` of a ``norm_reduction`` block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.conv import InstanceNorm, Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer

PERIOD = 4
"""Channels after which the pattern repeats: ratios are quarters."""


class InstanceBatchNorm(nn.Module):
    """(N, width, H, W) -> same shape; ``ratio`` 0 is BatchNorm, 1 InstanceNorm."""

    def __init__(self, width: int, ratio: float = 0.5) -> None:
        super().__init__()
        self.instances = _instances(width, ratio)
        groups = width // PERIOD
        self.instance = InstanceNorm(groups * self.instances) if self.instances else nn.Identity()
        batch = groups * (PERIOD - self.instances)
        self.batch = nn.BatchNorm2d(batch) if batch else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        num, width, *size = x.shape
        grouped = x.reshape(num, width // PERIOD, PERIOD, *size)
        parts = []
        for norm, part in (
            (self.instance, grouped[:, :, : self.instances]),
            (self.batch, grouped[:, :, self.instances :]),
        ):
            if part.shape[2]:
                parts.append(norm(part.flatten(1, 2)).reshape(part.shape))
        return torch.cat(parts, 2).reshape(x.shape)

    @staticmethod
    def layers(width: int, size: Size, ratio: float = 0.5, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs: as many parameters as BatchNorm."""
        instances = _instances(width, ratio)
        found = []
        for op, share in (("instance_norm", instances), ("batch_norm", PERIOD - instances)):
            part = width // PERIOD * share
            elements = part * size[0] * size[1]
            if part:
                found.append(Layer(op, 0, 2 * part, elements, elements, held=held))
        return tuple(found)


def _instances(width: int, ratio: float) -> int:
    """Return how many channels of each period pass the InstanceNorm."""
    if width % PERIOD or ratio * PERIOD != int(ratio * PERIOD) or not 0 <= ratio <= 1:
        raise UsageError(
            f"an instance-batch norm got width {width} and ratio {ratio}: allowed: multiples of {PERIOD}; "
            "0, 0.25, 0.5, 0.75, 1"
        )
    return int(ratio * PERIOD)
