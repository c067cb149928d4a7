"""ConvNeXt block (Liu et al. 2022, arXiv 2201.03545, figure 4).

x + scale * W2 gelu(W1 norm(depthwise(x))), W1 and W2 in each cell. With a stride, norm and a strided convolution stand
before it, as between two stages of the paper.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size, strided
from search_spaces.layers import Layer
from search_spaces.maps import CellMlp, PatchDown, check_equal_widths, plain_conv, plain_conv_layer


@register_block("convnext")
class ConvNeXt(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, kernel: int = 7, expansion: float = 4, stride: int = 1
    ) -> None:
        super().__init__()
        check_equal_widths("convnext", in_width, out_width, stride)
        self.downsample = PatchDown(in_width, out_width, stride) if stride > 1 else nn.Identity()
        self.depthwise = plain_conv(out_width, out_width, kernel, groups=out_width)
        self.mlp = CellMlp(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = self.downsample(x)
        out: Tensor = x + self.mlp(self.depthwise(x))
        return out

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, kernel: int = 7, expansion: float = 4, stride: int = 1
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("convnext", in_width, out_width, stride)
        size = strided(in_size, stride)
        held = out_width * size[0] * size[1]
        return (
            *(PatchDown.layers(in_width, out_width, in_size, stride) if stride > 1 else ()),
            plain_conv_layer(out_width, out_width, size, kernel, groups=out_width, held=held),
            *CellMlp.layers(out_width, int(out_width * expansion), size, held),
        )
