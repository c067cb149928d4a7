"""What LSNet's three blocks share (Wang et al. 2025): the way down before a stage, and the feed-forward part.

Pieces, not blocks: down = norm(W norm(depthwise 3x3, strided)), and x + norm(W2 relu(norm(W1 x))).
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.layers import Layer


class FirstZeroNorm(nn.BatchNorm2d):
    """BatchNorm whose weight starts at zero, so that the residual branch that it ends starts as nothing."""

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill weight or bias: zeros."""
        tensor.zero_()


class SeparableDown(nn.Module):
    """(N, C, H, W) -> (N, C', ceil(H / stride), ceil(W / stride)), without activations."""

    def __init__(self, in_width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.depthwise = ConvNormAct(in_width, in_width, 3, stride, in_width)
        self.pointwise = ConvNormAct(in_width, out_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map."""
        reduced: Tensor = self.pointwise(self.depthwise(x))
        return reduced

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (
            *conv_layers(in_width, in_width, in_size, 3, stride, in_width),
            *conv_layers(in_width, out_width, strided(in_size, stride), 1),
        )


class FeedForward(nn.Module):
    """x + norm(W2 relu(norm(W1 x))) on maps (N, C, H, W)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = ConvNormAct(width, hidden, 1, activation="relu")
        self.reduce = ConvNormAct(hidden, width, 1)
        self.reduce.norm = FirstZeroNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after the residual."""
        out: Tensor = x + self.reduce(self.expand(x))
        return out

    @staticmethod
    def layers(width: int, hidden: int, size: Size) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = width * size[0] * size[1]
        return (
            *conv_layers(width, hidden, size, 1, activation="relu", held=elements),
            *conv_layers(hidden, width, size, 1, held=elements),
            Layer("add", 0, 0, 2 * elements, elements),
        )
