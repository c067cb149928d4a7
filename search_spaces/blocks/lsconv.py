"""LSNet's "see large, focus small" block (Wang et al. 2025, arXiv 2503.23135, section 3.2), then feed-forward.

Large: w = groupnorm(W4 relu(norm(W3 norm(depthwise 7x7 (relu(norm(W1 x))))))), nine weights a cell for each group of
eight channels, W1 to half the width. Small: y_c(p) = sum over the 3x3 neighbours q of w_g(c)(p, q) x_c(p + q), zeros
outside. norm(y) + x. Channel c takes group c // 8, which numbers the paper's channels (c mod C/8) in another order, so
that the leading channels are a network of their own.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.lsnet_mix import FeedForward, SeparableDown
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths, plain_conv_layer

GROUP_WIDTH = 8
SMALL = 3
WEIGHTS = SMALL * SMALL


class NeighbourWeights(nn.Module):
    """(N, C, H, W) -> the weights of the neighbours, (N, C / 8, 9, H, W)."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        half, groups = width // 2, width // GROUP_WIDTH
        self.squeeze = ConvNormAct(width, half, 1, activation="relu")
        self.depthwise = ConvNormAct(half, half, kernel, groups=half)
        self.mix = ConvNormAct(half, half, 1, activation="relu")
        self.weights = nn.Conv2d(half, WEIGHTS * groups, 1)
        self.norm = nn.GroupNorm(groups, WEIGHTS * groups)

    def forward(self, x: Tensor) -> Tensor:
        """Return the weights."""
        found: Tensor = self.norm(self.weights(self.mix(self.depthwise(self.squeeze(x)))))
        return found.reshape(found.shape[0], -1, WEIGHTS, *found.shape[2:])

    @staticmethod
    def layers(width: int, kernel: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        half, outputs = width // 2, WEIGHTS * (width // GROUP_WIDTH)
        elements = outputs * size[0] * size[1]
        return (
            *conv_layers(width, half, size, 1, activation="relu", held=held),
            *conv_layers(half, half, size, kernel, groups=half, held=held),
            *conv_layers(half, half, size, 1, activation="relu", held=held),
            plain_conv_layer(half, outputs, size, 1, held=held),
            Layer("group_norm", 0, 2 * outputs, elements, elements, held=held),
        )


def aggregate(x: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sum of each cell's 3x3 neighbours.

    Args:
        x: (N, C, H, W).
        weights: (N, C / 8, 9, H, W), neighbours row by row.
    """
    height, width = x.shape[2:]
    padded = nn.functional.pad(x, (1, 1, 1, 1))
    padded = padded.reshape(x.shape[0], -1, GROUP_WIDTH, *padded.shape[2:])
    out = x.new_zeros(())
    for neighbour in range(WEIGHTS):
        row, column = divmod(neighbour, SMALL)
        moved = padded[..., row : row + height, column : column + width]
        out = out + weights[:, :, neighbour, None] * moved
    return out.flatten(1, 2)


@register_block("lsconv")
class LSConv(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, kernel: int = 7, expansion: float = 2, stride: int = 1
    ) -> None:
        super().__init__()
        _check(in_width, out_width, stride)
        self.downsample = SeparableDown(in_width, out_width, stride) if stride > 1 else nn.Identity()
        self.weights = NeighbourWeights(out_width, kernel)
        self.norm = nn.BatchNorm2d(out_width)
        self.feed_forward = FeedForward(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = self.downsample(x)
        out: Tensor = self.feed_forward(self.norm(aggregate(x, self.weights(x))) + x)
        return out

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, kernel: int = 7, expansion: float = 2, stride: int = 1
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, stride)
        size = strided(in_size, stride)
        elements = out_width * size[0] * size[1]
        weights = elements // GROUP_WIDTH * WEIGHTS
        return (
            *(SeparableDown.layers(in_width, out_width, in_size, stride) if stride > 1 else ()),
            *NeighbourWeights.layers(out_width, kernel, size, held=elements),
            Layer("scale", 0, 0, elements + weights, elements, held=2 * elements),
            Layer("batch_norm", 0, 2 * out_width, elements, elements, held=elements),
            Layer("add", 0, 0, 2 * elements, elements),
            *FeedForward.layers(out_width, int(out_width * expansion), size),
        )


def _check(in_width: int, out_width: int, stride: int) -> None:
    check_equal_widths("lsconv", in_width, out_width, stride)
    if out_width % GROUP_WIDTH:
        raise UsageError(f"an lsconv block got width {out_width}: allowed: multiples of {GROUP_WIDTH}")
