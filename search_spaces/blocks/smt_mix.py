"""What SMT's two blocks share (Lin et al. 2023, arXiv 2307.08579): the way down before a stage, and the MLP.

Pieces, not blocks: norm(conv3x3(norm(x))) with a stride, and fc2(gelu(h + depthwise3x3(h))), h = fc1(x).
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import ChannelNorm, ConvDown, plain_conv, plain_conv_layer
from search_spaces.tokens import linear_layer


class NormedDown(nn.Module):
    """(N, C, H, W) -> (N, C', ceil(H / stride), ceil(W / stride)); its first norm ends the stage before."""

    def __init__(self, in_width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(in_width)
        self.conv = ConvDown(in_width, out_width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map."""
        reduced: Tensor = self.conv(self.norm(x))
        return reduced

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return (ChannelNorm.layer(in_width, in_size), *ConvDown.layers(in_width, out_width, in_size, stride))


class DepthwiseMlp(nn.Module):
    """fc2(gelu(h + depthwise(h))), h = fc1(x), on maps (N, H, W, C)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden)
        self.depthwise = plain_conv(hidden, hidden, 3, groups=hidden)
        self.reduce = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map, without a residual."""
        x = self.expand(x)
        near: Tensor = self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        out: Tensor = self.reduce(nn.functional.gelu(x + near))
        return out

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs, the addition to a residual included."""
        cells = size[0] * size[1]
        elements, inner = width * cells, hidden * cells
        return (
            linear_layer(width, hidden, cells, held),
            plain_conv_layer(hidden, hidden, size, 3, groups=hidden, held=held + inner),
            Layer("add", 0, 0, 2 * inner, inner, held=held),
            Layer("activation", 0, 0, inner, inner, held=held),
            linear_layer(hidden, width, cells, held),
            Layer("add", 0, 0, 2 * elements, elements),
        )
