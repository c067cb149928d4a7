"""SMT's stem: convolution without bias, BatchNorm, ReLU, 2x2 convolution of stride 2, norm over channels."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import ChannelNorm, plain_conv_layer

STRIDES = (2, 4)
PATCH = 2


@register_block("smt_stem")
class SmtStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H / stride, W / stride); the stride, 2 or 4, divides both sides."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, kernel: int, stride: int) -> None:
        super().__init__()
        _check(in_size, stride)
        self.conv = ConvNormAct(in_width, out_width, kernel, stride // PATCH, activation="relu")
        self.projection = nn.Conv2d(out_width, out_width, PATCH, PATCH)
        self.norm = ChannelNorm(out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        normalised: Tensor = self.norm(self.projection(self.conv(x)))
        return normalised

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, kernel: int, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_size, stride)
        size = strided(in_size, stride // PATCH)
        return (
            *conv_layers(in_width, out_width, in_size, kernel, stride // PATCH, activation="relu"),
            plain_conv_layer(out_width, out_width, size, PATCH, PATCH),
            ChannelNorm.layer(out_width, strided(size, PATCH)),
        )


def _check(size: Size, stride: int) -> None:
    if stride not in STRIDES:
        raise UsageError(f"an smt_stem got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
    if size[0] % stride or size[1] % stride:
        raise UsageError(
            f"patch {stride} does not divide the resolution {size[0]}x{size[1]}: allowed sides: multiples of {stride}"
        )
