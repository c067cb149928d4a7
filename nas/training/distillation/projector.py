"""Cross-attention projector: features of any student to the tokens of one teacher (ScaleKD, arXiv 2411.06786, 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.errors import UsageError


class CrossAttentionProjector(nn.Module):
    """One decoder block whose queries, one learned vector a teacher token, attend to the student's features.

    Students of one space differ in width and in resolution. The first layer is shared by prefix, as the networks are:
    one of c channels uses its leading c columns. A map's position table is resized to the map.

    Args:
        in_width: channels of the widest student.
        in_size: height and width of the largest student map; None for tokens, which carry their positions.
        num_tokens: of the teacher.
        out_width: channels of the teacher.
        num_heads: of the attention.

    Raises:
        UsageError: the heads do not divide the teacher's channels.
    """

    def __init__(
        self, in_width: int, in_size: tuple[int, int] | None, num_tokens: int, out_width: int, num_heads: int
    ) -> None:
        super().__init__()
        if out_width % num_heads:
            raise UsageError(
                f"num_heads got {num_heads} for a teacher of {out_width} channels: give a divisor of {out_width}"
            )
        self._num_heads = num_heads
        self.embed = nn.Linear(in_width, out_width)
        self.positions = nn.Parameter(_small(1, out_width, *in_size)) if in_size else None
        self.queries = nn.Parameter(_small(num_tokens, out_width))
        self.query = nn.Linear(out_width, out_width)
        self.key_value = nn.Linear(out_width, 2 * out_width)
        self.out = nn.Linear(out_width, out_width)
        self.norm = nn.LayerNorm(out_width)
        self.feed_forward = nn.Sequential(
            nn.Linear(out_width, 4 * out_width), nn.GELU(), nn.Linear(4 * out_width, out_width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, num_tokens, out_width) for a map (n, c, height, width) or tokens (n, m, c)."""
        seen = self._embedded(features)
        queries = self._heads(self.query(self.queries).expand(len(seen), -1, -1))
        keys, values = map(self._heads, self.key_value(seen).chunk(2, dim=-1))
        attended = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        tokens = self.queries + self.out(attended)
        projected: Tensor = tokens + self.feed_forward(self.norm(tokens))
        return projected

    def _embedded(self, features: Tensor) -> Tensor:
        tokens = as_tokens(features)
        embedded = F.linear(tokens, self.embed.weight[:, : tokens.shape[2]], self.embed.bias)
        if self.positions is None or features.ndim != 4:
            return embedded
        table: Tensor = self.positions
        if table.shape[2:] != features.shape[2:]:
            table = F.interpolate(table, size=features.shape[2:], mode="bilinear", antialias=True)
        return embedded + table.flatten(2).transpose(1, 2)

    def _heads(self, tokens: Tensor) -> Tensor:
        return tokens.view(*tokens.shape[:-1], self._num_heads, -1).transpose(-3, -2)


def as_tokens(features: Tensor) -> Tensor:
    """Return features (n, num_tokens, c) from a map (n, c, height, width), tokens, or one vector (n, c) an image."""
    if features.ndim == 4:
        return features.flatten(2).transpose(1, 2)
    return features if features.ndim == 3 else features.unsqueeze(1)


def _small(*shape: int) -> Tensor:
    return nn.init.trunc_normal_(torch.empty(shape), std=0.02)
