"""Efficient local attention: two gates along the rows and the columns of a map (Xu and Wan 2024, arXiv 2403.01123).

With the means a_h over each row and a_w over each column of a channel: y = x * g(a_h) * g(a_w), g(a) =
sigmoid(groupnorm(conv1d(a))), one convolution and one norm for both; no channel is reduced. "T": kernel 5, depthwise.
The groups of the norm hold 8 channels each, and their number follows the width, so that a narrower gate is a leading
part. A re-implementation from the abstract: there is no official code. A piece of blocks, not a block.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare

KERNEL = 5
GROUP_WIDTH = 8


class EfficientLocalAttention(nn.Module):
    """(N, C, H, W) -> same shape; a group of the convolution holds ``conv_width`` channels (1: depthwise; S, L: 8)."""

    def __init__(self, width: int, kernel: int = KERNEL, conv_width: int = 1) -> None:
        super().__init__()
        _check(width)
        groups = width // conv_width
        self.conv = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups, bias=False)
        declare(self.conv.weight, width, conv_width, centre(kernel))
        self.norm = nn.GroupNorm(width // GROUP_WIDTH, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated map."""
        rows, columns = self._gate(x.mean(3)), self._gate(x.mean(2))
        return x * rows[..., None] * columns[..., None, :]

    def _gate(self, means: Tensor) -> Tensor:
        gate: Tensor = self.norm(self.conv(means))
        return gate.sigmoid()

    @staticmethod
    def layers(width: int, size: Size, kernel: int = KERNEL, conv_width: int = 1, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs; the second use of the weights brings no parameters."""
        _check(width)
        elements, weight = width * size[0] * size[1], width * conv_width * kernel
        op, found = "depthwise" if conv_width == 1 else "conv", []
        for number, side in enumerate(size):
            strip, first = width * side, number == 0
            found += [
                Layer("mean", 0, 0, elements, strip, held=held),
                Layer(op, weight * side, weight * first, strip, strip, held=held + elements),
                Layer("group_norm", 0, 2 * width * first, strip, strip, held=held + elements),
                Layer("activation", 0, 0, strip, strip, held=held + elements),
            ]
        scales = [Layer("scale", 0, 0, elements + width * side, elements, held=held) for side in size]
        return (*found, *scales)


def _check(width: int) -> None:
    if width % GROUP_WIDTH:
        raise UsageError(f"attention 'ela' got width {width}: allowed: multiples of {GROUP_WIDTH}")
