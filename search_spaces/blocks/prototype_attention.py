"""Prototype-based masked cross-attention, of PEM (Cavagnero et al. 2024, arXiv 2402.19422).

Each head of each query attends to one pixel, its prototype: the one whose key is most similar among those that the
query may see. With keys K of the pixels and Q of the queries, both of length 1,

    K_p = K[argmax over pixels of (Q K' + mask)],    out = W_out (alpha * norm(W_mix (K_p * Q)) + K_p),

norm to length 1 over the queries and alpha learned, one a channel. Gradients flow through the chosen pixels alone. From
the paper's abstract and facts of its published code (pixels: BatchNorm, depthwise 3x3, linear; queries: LayerNorm,
linear; heads fall into the channels after both have length 1). Heads have 8 channels at any width, so that those of a
narrower network are the first of a wider one.

The similarities are the only product of queries and pixels, where softmax attention has a second: what a query costs
beyond them does not depend on the size of the map.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import plain_conv, plain_conv_layer
from search_spaces.tokens import add_layer, layer_norm_layer, linear_layer

HEAD_DIM = 8
LOCAL_KERNEL = 3


def num_heads(width: int) -> int:
    """Return how many heads a width has: all its channels, rounded up."""
    return -(-width // HEAD_DIM)


class PrototypeAttention(nn.Module):
    """Queries (N, Q, width) and pixels (N, width, H, W), with what each query may see, -> (N, Q, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = num_heads(width)
        inner = self.heads * HEAD_DIM
        self.pixel_norm = nn.BatchNorm2d(width)
        self.local = plain_conv(width, width, LOCAL_KERNEL, groups=width)
        self.keys = nn.Linear(width, inner)
        self.query_norm = nn.LayerNorm(width)
        self.queries = nn.Linear(width, inner)
        self.mix = nn.Linear(inner, inner)
        self.alpha = nn.Parameter(torch.empty(inner))
        self.projection = nn.Linear(inner, width)

    def forward(self, queries: Tensor, pixels: Tensor, visible: Tensor) -> Tensor:
        """Return what each query found; ``visible`` (N, Q, H x W) is true where it may look.

        Pixels are made contiguous, since torch rounds a linear map of a strided batch by whether its weight learns.
        """
        local = self.local(self.pixel_norm(pixels)).flatten(2).transpose(1, 2).contiguous()
        keys = nn.functional.normalize(self.keys(local), dim=-1)
        asked = nn.functional.normalize(self.queries(self.query_norm(queries)), dim=-1)
        found = prototypes(asked, keys, visible, self.heads)
        modulated = self.alpha * nn.functional.normalize(self.mix(found * asked), dim=1)
        out: Tensor = self.projection(modulated + found)
        return out

    @staticmethod
    def layers(width: int, queries: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs: all behind the similarities is independent of the size of the map."""
        cells, inner = size[0] * size[1], num_heads(width) * HEAD_DIM
        pixels, keys, asked, scores = width * cells, inner * cells, inner * queries, queries * cells
        each = num_heads(width) * scores
        kept = held + keys + asked
        mixed = Layer("scale", 0, 0, 2 * asked, asked, held=kept)
        return (
            Layer("batch_norm", 0, 2 * width, pixels, pixels, held=held),
            plain_conv_layer(width, width, size, LOCAL_KERNEL, groups=width, held=held),
            linear_layer(width, inner, cells, held),
            Layer("scale", 0, 0, keys, keys, held=held),
            layer_norm_layer(width, queries, held + keys),
            linear_layer(width, inner, queries, held + keys),
            Layer("scale", 0, 0, asked, asked, held=held + keys),
            Layer("attention", inner * scores, 0, keys + asked, each, held=held),
            Layer("activation", 0, 0, each + scores, each, held=kept),
            Layer("copy", 0, 0, asked, asked, held=kept),
            mixed,
            linear_layer(inner, inner, queries, kept),
            Layer("scale", 0, inner, asked, asked, held=kept),
            add_layer(asked),
            linear_layer(inner, width, queries, held),
        )


def prototypes(queries: Tensor, keys: Tensor, visible: Tensor, heads: int) -> Tensor:
    """Return the key of the pixel that is most similar to each head of each query, (N, Q, heads x head_dim).

    Args:
        queries: (N, Q, heads x head_dim).
        keys: of the pixels, (N, P, heads x head_dim).
        visible: which pixels each query may choose, (N, Q, P).
        heads: into which the channels fall; each chooses for itself.
    """
    q, k = (x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in (queries, keys))
    similar = (q @ k.transpose(-2, -1)).masked_fill(~visible[:, None], -torch.inf)
    chosen = similar.argmax(-1, keepdim=True).expand(-1, -1, -1, k.shape[-1])
    found: Tensor = k.gather(2, chosen).transpose(1, 2).flatten(2)
    return found
