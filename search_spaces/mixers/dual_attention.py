"""Dual attention: efficient spatial attention, then channel attention, both linear in the cells (TransDAE).

Spatial (Shen et al. 2021): softmax_channels(q) (softmax_cells(k)' v), with no matrix of cells by cells. Channels
(XCiT's, El-Nouby et al. 2021): each head's head_dim x head_dim scores of normalised q and k over the cells. Their
outputs are added. A re-implementation from the abstract of "TransDAE" (2024, arXiv 2409.02018), which has both in a
hierarchical transformer.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, Units
from search_spaces.layers import Layer
from search_spaces.layout import declare, product
from search_spaces.maps import plain_conv_layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import add_layer


@register_mixer("dual_attention")
class DualAttention(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.heads, self.head_dim = place.heads, place.head_dim
        inner = product(place.heads, place.head_dim)
        self.qkv = nn.Conv2d(place.width, 3 * inner.size, 1)
        self.projection = nn.Conv2d(inner.size, place.width, 1)
        declare(self.qkv.weight, product(3, place.heads, place.head_dim), place.width, 1, 1)
        assert self.qkv.bias is not None
        declare(self.qkv.bias, product(3, place.heads, place.head_dim))
        declare(self.projection.weight, place.width, inner, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        cells = x.shape[2] * x.shape[3]
        q, k, v = self.qkv(x).reshape(x.shape[0], 3, self.heads, self.head_dim, cells).unbind(1)
        context = v @ k.softmax(-1).transpose(-2, -1)
        spatial = context @ q.softmax(-2)
        q, k = (nn.functional.normalize(part, dim=-1) for part in (q, k))
        channel = (q @ k.transpose(-2, -1)).softmax(-1) @ v
        out: Tensor = self.projection((spatial + channel).reshape(x.shape[0], -1, *x.shape[2:]))
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads."""
        makers = Units("qkv.weight", factor=1), Units("qkv.bias", factor=1)
        return (ChannelGroup("heads", makers, Units("projection.weight", 1)),)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs: linear in the cells."""
        inner = place.heads * place.head_dim
        elements, matrix = inner * place.cells, inner * place.head_dim
        kept = held + 2 * elements
        into = Layer("attention", matrix * place.cells, 0, 2 * elements, matrix, held=kept)
        back = Layer("attention", matrix * place.cells, 0, matrix + elements, elements, held=kept)
        soft = Layer("activation", 0, 0, elements, elements, held=kept)
        return (
            plain_conv_layer(place.width, 3 * inner, place.size, 1, held=held),
            *(soft, into, soft, back),
            *(soft, soft, into, Layer("activation", 0, 0, matrix, matrix, held=kept), back),
            add_layer(elements),
            plain_conv_layer(inner, place.width, place.size, 1, held=held),
        )
