"""MIRNet's selective kernel feature fusion of streams of different resolution (Zamir et al. 2020, section 3.1.1).

The streams, a depthwise convolution of the map and one of the map at half the side, are fused: s = mean_HW(sum of the
streams), z = prelu(W s) with an eighth of the channels (at least 4), one 1x1 map of z a stream, softmax over the
streams in each channel, weighted sum (equations 1 to 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.maps import plain_conv, plain_conv_layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place, Size

REDUCTION = 8
LEAST_HIDDEN = 4
NUM_STREAMS = 2
FIRST_SLOPE = 0.25


class Prelu(nn.Module):
    """max(x, 0) + a min(x, 0) with one learned a (He et al. 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1))

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill the slope."""
        tensor.fill_(FIRST_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated ``x``."""
        return nn.functional.prelu(x, self.weight)


class SelectiveFusion(nn.Module):
    """Streams, each (N, C, H, W), to one of the same shape."""

    def __init__(self, width: int, num_streams: int) -> None:
        super().__init__()
        hidden = max(LEAST_HIDDEN, width // REDUCTION)
        self.reduce = nn.Conv2d(width, hidden, 1)
        self.activation = Prelu()
        self.attentions = nn.ModuleList(nn.Conv2d(hidden, width, 1) for _ in range(num_streams))

    def weights(self, streams: Sequence[Tensor]) -> Tensor:
        """Return the weight (streams, N, C, 1, 1) of each stream; they sum to 1 over the streams."""
        total = streams[0]
        for stream in streams[1:]:
            total = total + stream
        hidden = self.activation(self.reduce(total.mean((2, 3), keepdim=True)))
        return torch.stack([attention(hidden) for attention in self.attentions]).softmax(0)

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """Return the weighted sum."""
        weights = self.weights(streams)
        fused = weights[0] * streams[0]
        for weight, stream in zip(weights[1:], streams[1:], strict=True):
            fused = fused + weight * stream
        return fused

    @staticmethod
    def layers(width: int, num_streams: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        hidden, elements = max(LEAST_HIDDEN, width // REDUCTION), width * size[0] * size[1]
        kept = held + num_streams * elements
        attention = plain_conv_layer(hidden, width, (1, 1), 1, held=kept)
        return (
            *(Layer("add", 0, 0, 2 * elements, elements, held=held) for _ in range(num_streams - 1)),
            Layer("mean", 0, 0, elements, width, held=kept),
            plain_conv_layer(width, hidden, (1, 1), 1, held=kept),
            Layer("activation", 0, 1, hidden, hidden, held=kept),
            *([attention] * num_streams),
            Layer("activation", 0, 0, num_streams * width, num_streams * width, held=kept),
            *([Layer("scale", 0, 0, elements + width, elements, held=kept)] * num_streams),
            *(Layer("add", 0, 0, 2 * elements, elements, held=held) for _ in range(num_streams - 1)),
        )


def halved(x: Tensor) -> Tensor:
    """Return the mean of every 2x2 cells; the last row and column of odd sides count twice."""
    below, right = x.shape[2] % 2, x.shape[3] % 2
    even = nn.functional.pad(x, (0, right, 0, below), mode="replicate") if below or right else x
    return nn.functional.avg_pool2d(even, 2)


@register_mixer("selective_kernel", reach="kernel")
class SelectiveKernel(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.fine = plain_conv(place.width, place.width, place.kernel, groups=place.width)
        self.coarse = plain_conv(place.width, place.width, place.kernel, groups=place.width)
        self.fusion = SelectiveFusion(place.width, NUM_STREAMS)

    def forward(self, x: Tensor) -> Tensor:
        """Return the fused streams."""
        coarse = self.coarse(halved(x)).repeat_interleave(2, 2).repeat_interleave(2, 3)
        fused: Tensor = self.fusion([self.fine(x), coarse[:, :, : x.shape[2], : x.shape[3]]])
        return fused

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width, elements = place.width, place.elements
        half = -(-place.size[0] // 2), -(-place.size[1] // 2)
        small, kept = width * half[0] * half[1], held + elements
        return (
            plain_conv_layer(width, width, place.size, place.kernel, groups=width, held=held),
            Layer("avg_pool", 0, 0, elements, small, held=kept),
            plain_conv_layer(width, width, half, place.kernel, groups=width, held=kept),
            Layer("copy", 0, 0, small, elements, held=kept),
            *SelectiveFusion.layers(width, NUM_STREAMS, place.size, held),
        )
