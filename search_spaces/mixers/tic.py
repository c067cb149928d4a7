"""TiC's multi-head convolution by self-attention: each cell attends to its k x k neighbourhood (Zhang et al.).

The query is the value at the centre of the window; keys and values are its k x k cells, ``DILATION`` apart, zeros
outside the map. A window of 1 is the linear map of the values. A re-implementation from the abstract of "TiC: Exploring
Vision Transformer in Convolution" as sliding-window attention (k, dilation): its cyclic shifts and pooling between the
windows are not here.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, Units
from search_spaces.layers import Layer
from search_spaces.layout import declare, product
from search_spaces.maps import plain_conv_layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import attention_products

DILATION = 1


class SlidingAttention(nn.Module):
    """(N, C, H, W) -> same shape, by ``heads`` of ``head_dim`` channels."""

    def __init__(self, width: int, heads: int, head_dim: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.heads, self.head_dim, self.kernel, self.dilation = heads, head_dim, kernel, dilation
        inner = product(heads, head_dim)
        self.qkv = nn.Conv2d(width, 3 * inner.size, 1)
        self.projection = nn.Conv2d(inner.size, width, 1)
        declare(self.qkv.weight, product(3, heads, head_dim), width, 1, 1)
        assert self.qkv.bias is not None
        declare(self.qkv.bias, product(3, heads, head_dim))
        declare(self.projection.weight, width, inner, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        height, width = x.shape[2:]
        q, k, v = self.qkv(x).reshape(x.shape[0], 3, self.heads, self.head_dim, height, width).unbind(1)
        keys, values = self._neighbours(k), self._neighbours(v)
        queries = q.permute(0, 3, 4, 1, 2).reshape(-1, self.heads, 1, self.head_dim)
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values)
        attended = attended.reshape(x.shape[0], height, width, -1).permute(0, 3, 1, 2).contiguous()
        out: Tensor = self.projection(attended)
        return out

    def _neighbours(self, x: Tensor) -> Tensor:
        """Return the k x k neighbours (N x cells, heads, k^2, head_dim) of each cell of (N, heads, head_dim, H, W)."""
        reach, border = self.dilation * (self.kernel - 1) + 1, self.dilation * (self.kernel // 2)
        windows = nn.functional.pad(x, (border,) * 4).unfold(3, reach, 1).unfold(4, reach, 1)
        windows = windows[..., :: self.dilation, :: self.dilation].permute(0, 3, 4, 1, 5, 6, 2)
        return windows.reshape(-1, self.heads, self.kernel**2, self.head_dim)

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads."""
        makers = Units("qkv.weight", factor=1), Units("qkv.bias", factor=1)
        return (ChannelGroup("heads", makers, Units("projection.weight", 1)),)


@register_mixer("tic", reach="kernel")
class TicMixer(SlidingAttention):
    """(N, C, H, W) -> same shape; ``kernel`` is the side of the window."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.width, place.heads, place.head_dim, place.kernel, DILATION)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        inner, neighbours = place.heads * place.head_dim, place.kernel**2
        elements = inner * place.cells
        return (
            plain_conv_layer(place.width, 3 * inner, place.size, 1, held=held),
            Layer("copy", 0, 0, 2 * elements, 2 * neighbours * elements, held=held + elements),
            *attention_products(place.heads, place.head_dim, 1, neighbours, place.cells, held),
            plain_conv_layer(inner, place.width, place.size, 1, held=held),
        )
