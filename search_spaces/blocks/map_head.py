"""Multi-head attention pooling head (Set Transformer, Lee et al. 2019; Scaling Vision Transformers, Zhai et al. 2022).

With a learned probe p and tokens t = norm(x):  a = projection(attention(q(p), kv(t))),  y = a + mlp(norm(a)).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.tokens import CrossAttention, Mlp, add_layer, layer_norm_layer, linear_layer


@register_block("map_head")
class MapHead(nn.Module):
    """Tokens (N, T, in_width) without a class token -> logits (N, out_width)."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, heads: int, head_dim: int, mlp_width: int
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_width)
        self.probe = nn.Parameter(torch.empty(1, 1, in_width))
        self.attention = CrossAttention(in_width, heads, head_dim)
        self.mlp_norm = nn.LayerNorm(in_width)
        self.mlp = Mlp(in_width, mlp_width)
        self.classifier = nn.Linear(in_width, out_width)

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill the probe: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        pooled = self.attention(self.probe.expand(x.shape[0], -1, -1), self.norm(x))[:, 0]
        logits: Tensor = self.classifier(pooled + self.mlp(self.mlp_norm(pooled)))
        return logits

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, heads: int, head_dim: int, mlp_width: int
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        tokens = in_size[0] * in_size[1]
        return (
            layer_norm_layer(in_width, tokens),
            Layer("copy", 0, in_width, in_width, in_width),
            *CrossAttention.layers(in_width, heads, head_dim, 1, tokens),
            layer_norm_layer(in_width, 1),
            *Mlp.layers(in_width, mlp_width, 1),
            add_layer(in_width),
            linear_layer(in_width, out_width, 1),
        )
