"""Deep stem whose middle convolution is residual and may be skipped (Once-for-All ResNet50-D, Cai et al. 2020).

Three 3x3 convolutions with BatchNorm and ReLU, the first strided; x + conv(x) in the middle; max pooling at stride 4.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer

STRIDES = (1, 2, 4)


@register_block("residual_stem")
class ResidualStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    Stride 4 is a stride of 2 and a 3x3 max pooling; ``middle`` says whether the middle convolution is there.
    """

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, inner_width: int, stride: int, middle: bool
    ) -> None:
        super().__init__()
        if stride not in STRIDES:
            raise UsageError(f"stride of the stem got {stride}: allowed: 1, 2, and 4 (with pooling)")
        self.reduce = ConvNormAct(in_width, inner_width, 3, min(stride, 2), activation="relu")
        self.middle = ConvNormAct(inner_width, inner_width, 3, activation="relu") if middle else None
        self.expand = ConvNormAct(inner_width, out_width, 3, activation="relu")
        self.pool = nn.MaxPool2d(3, 2, 1) if stride == 4 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the stem's output."""
        x = self.reduce(x)
        if self.middle is not None:
            x = x + self.middle(x)
        out: Tensor = self.pool(self.expand(x))
        return out

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, inner_width: int, stride: int, middle: bool
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size = strided(in_size, min(stride, 2))
        found = conv_layers(in_width, inner_width, in_size, 3, min(stride, 2), activation="relu")
        if middle:
            elements = inner_width * size[0] * size[1]
            found += conv_layers(inner_width, inner_width, size, 3, activation="relu", held=elements)
            found += (Layer("add", 0, 0, 2 * elements, elements),)
        found += conv_layers(inner_width, out_width, size, 3, activation="relu")
        if stride == 4:
            pooled = strided(size, 2)
            found += (Layer("max_pool", 0, 0, out_width * size[0] * size[1], out_width * pooled[0] * pooled[1]),)
        return found
