"""MaxViT's inverted bottleneck with a norm before it (Tu et al. 2022, section 3.3).

shortcut(x) + W3 se(gelu(norm(depthwise(gelu(norm(W1 norm(x))))))): the hidden width is that of the *output* times the
expansion, the gate has a quarter of the output's channels and SiLU in the middle, the last 1x1 convolution and the
shortcut's have a bias. The shortcut is 2x2 average pooling where the stride is 2, then a 1x1 convolution where the
widths differ. BatchNorm adds 1e-3 to variances. Strided convolutions are padded on every side.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.maxvit_stem import BATCH_NORM_EPSILON
from search_spaces.blocks.mbconv import SqueezeExcite
from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import ConvNormAct, Size, conv_layers, make_divisible, strided
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths, plain_conv_layer
from search_spaces.tokens import add_layer


class PooledShortcut(nn.Module):
    """Average pooling by ``stride`` (sides rounded up), then a 1x1 convolution with bias where widths differ."""

    def __init__(self, in_width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(in_width, out_width, 1) if in_width != out_width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the shortcut of ``x`` (N, C, H, W)."""
        if self.stride > 1:
            x = nn.functional.avg_pool2d(x, self.stride, ceil_mode=True)
        out: Tensor = self.conv(x)
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, stride: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; ``held`` is what the main path keeps."""
        size = strided(in_size, stride)
        found = []
        if stride > 1:
            pixels, cells = in_size[0] * in_size[1], size[0] * size[1]
            found.append(Layer("avg_pool", 0, 0, in_width * pixels, in_width * cells, held=held))
        if in_width != out_width:
            found.append(plain_conv_layer(in_width, out_width, size, 1, held=held))
        return tuple(found)


@register_block("pre_norm_mbconv")
class PreNormMBConv(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride))."""

    uses_size = False
    residual = True

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, expansion: float = 4.0, kernel: int = 3, stride: int = 1
    ) -> None:
        super().__init__()
        check_equal_widths("pre_norm_mbconv", in_width, out_width, stride)
        hidden = make_divisible(out_width * expansion)
        self.norm = nn.BatchNorm2d(in_width)
        self.expand = ConvNormAct(in_width, hidden, 1, activation="gelu")
        self.depthwise = ConvNormAct(hidden, hidden, kernel, stride, hidden, "gelu")
        self.squeeze_excite = SqueezeExcite(hidden, out_width // 4, "silu", "sigmoid")
        self.project = nn.Conv2d(hidden, out_width, 1)
        self.shortcut = PooledShortcut(in_width, out_width, stride)
        for norm in (self.norm, self.expand.norm, self.depthwise.norm):
            norm.eps = BATCH_NORM_EPSILON

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        changed = self.project(self.squeeze_excite(self.depthwise(self.expand(self.norm(x)))))
        out: Tensor = self.shortcut(x) + changed
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the expanded channels."""
        makers = (*made_by(self, "expand", "depthwise"), *SqueezeExcite.gated("squeeze_excite"))
        return (ChannelGroup("hidden", makers, Units("project.weight", 1)),)

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, expansion: float = 4.0, kernel: int = 3, stride: int = 1
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("pre_norm_mbconv", in_width, out_width, stride)
        hidden, size = make_divisible(out_width * expansion), strided(in_size, stride)
        held, elements = in_width * in_size[0] * in_size[1], out_width * size[0] * size[1]
        return (
            Layer("batch_norm", 0, 2 * in_width, held, held, held=held),
            *conv_layers(in_width, hidden, in_size, 1, activation="gelu", held=held),
            *conv_layers(hidden, hidden, in_size, kernel, stride, hidden, "gelu", held),
            *SqueezeExcite.layers(hidden, size, held, out_width // 4),
            plain_conv_layer(hidden, out_width, size, 1, held=held),
            *PooledShortcut.layers(in_width, out_width, in_size, stride, elements),
            add_layer(elements),
        )
