"""SMT's attention block (Lin et al. 2023, arXiv 2307.08579, section 3.4).

x + W_out(attention(q, k, v) + depthwise3x3(v)) with q, k, v linear in norm(x), then x + mlp(norm(x)); ``heads`` share
out the width.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.smt_mix import DepthwiseMlp, NormedDown
from search_spaces.conv import Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import declare, product
from search_spaces.maps import EPSILON, ChannelNorm, cells_last, check_equal_widths, plain_conv_layer
from search_spaces.tokens import attention_products, linear_layer

LOCAL_KERNEL = 3


class LocalAttention(nn.Module):
    """W_out(attention(q, k, v) + depthwise(v)) on maps (N, H, W, C)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        inner = product(heads, width // heads)
        self.queries = nn.Linear(width, width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.local = nn.Conv2d(width, width, LOCAL_KERNEL, 1, LOCAL_KERNEL // 2, groups=width)
        self.reduce = nn.Linear(width, width)
        declare(self.queries.weight, inner, width)
        declare(self.queries.bias, inner)
        declare(self.keys_values.weight, product(2, inner), width)
        declare(self.keys_values.bias, product(2, inner))
        declare(self.local.weight, inner, 1, LOCAL_KERNEL, LOCAL_KERNEL)
        assert self.local.bias is not None
        declare(self.local.bias, inner)
        declare(self.reduce.weight, width, inner)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map, without a residual."""
        shape = x.shape[0], x.shape[1] * x.shape[2], self.heads, -1
        keys, values = self.keys_values(x).chunk(2, -1)
        q, k, v = (part.reshape(shape).transpose(1, 2) for part in (self.queries(x), keys, values))
        attended = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        near = self.local(values.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        out: Tensor = self.reduce(attended + near)
        return out

    @staticmethod
    def layers(width: int, heads: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs, the addition to a residual included."""
        cells = size[0] * size[1]
        elements = width * cells
        kept = held + elements
        return (
            linear_layer(width, width, cells, held),
            linear_layer(width, 2 * width, cells, kept),
            *attention_products(heads, width // heads, cells, cells, held=kept),
            plain_conv_layer(width, width, size, LOCAL_KERNEL, groups=width, held=kept),
            Layer("add", 0, 0, 2 * elements, elements, held=held),
            linear_layer(width, width, cells, held),
            Layer("add", 0, 0, 2 * elements, elements),
        )


@register_block("smt_attention")
class SmtAttention(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = False
    residual = True

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, heads: int, expansion: float, stride: int = 1
    ) -> None:
        super().__init__()
        _check(in_width, out_width, stride, heads)
        self.downsample = NormedDown(in_width, out_width, stride) if stride > 1 else nn.Identity()
        self.norm = nn.LayerNorm(out_width, EPSILON)
        self.attention = LocalAttention(out_width, heads)
        self.mlp_norm = nn.LayerNorm(out_width, EPSILON)
        self.mlp = DepthwiseMlp(out_width, int(out_width * expansion))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = cells_last(self.downsample(x))
        x = x + self.attention(self.norm(x))
        x = x + self.mlp(self.mlp_norm(x))
        return x.permute(0, 3, 1, 2)

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, heads: int, expansion: float, stride: int = 1
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, stride, heads)
        size = strided(in_size, stride)
        held = out_width * size[0] * size[1]
        return (
            *(NormedDown.layers(in_width, out_width, in_size, stride) if stride > 1 else ()),
            ChannelNorm.layer(out_width, size, held=held),
            *LocalAttention.layers(out_width, heads, size, held),
            ChannelNorm.layer(out_width, size, held=held),
            *DepthwiseMlp.layers(out_width, int(out_width * expansion), size, held),
        )


def _check(in_width: int, out_width: int, stride: int, heads: int) -> None:
    check_equal_widths("smt_attention", in_width, out_width, stride)
    if heads < 1 or out_width % heads:
        allowed = [number for number in range(1, out_width + 1) if out_width % number == 0]
        raise UsageError(
            f"heads {heads} of an smt_attention block do not divide the width {out_width}: allowed: {allowed}"
        )
