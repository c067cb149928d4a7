"""Small pieces that blocks over tokens (N, T, width) share: attention, MLP and their layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.layout import Plain, Segments, declare, product, resized


class GridTokens(nn.Module):
    """The class token and absolute positions of a grid of patches; those of a smaller grid are resized (bicubic)."""

    def __init__(self, grid: Size, width: int, class_token: bool = True) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.empty(1, 1, width)) if class_token else None
        self.positions = nn.Parameter(torch.empty(1, grid[0] * grid[1] + class_token, width))
        cells = ("grid", product(resized(grid[0]), resized(grid[1])))
        parts = (("class_token", Plain(1)), cells) if class_token else (cells,)
        declare(self.positions, 1, Segments(parts), width)

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill class token or positions: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens (N, T, width) of a map (N, width, H, W), the class token first."""
        tokens = x.flatten(2).transpose(1, 2)
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        return tokens + self.positions

    @staticmethod
    def token_layers(grid: Size, width: int, class_token: bool = True) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells = grid[0] * grid[1] * width
        tokens = cells + width * class_token
        added = Layer("add", 0, tokens, 2 * tokens, tokens)
        return (Layer("copy", 0, width, cells, tokens), added) if class_token else (added,)


class SelfAttention(nn.Module):
    """Multi-head self-attention, softmax(q k' / sqrt(head_dim) + bias) v (Vaswani et al. 2017), on (N, T, width)."""

    def __init__(self, width: int, heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, head_dim
        inner = heads * head_dim
        self.qkv = nn.Linear(width, 3 * inner)
        declare(self.qkv.weight, product(3, heads, head_dim), width)
        declare(self.qkv.bias, product(3, heads, head_dim))
        self.projection = nn.Linear(inner, width)
        declare(self.projection.weight, width, product(heads, head_dim))

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return the attended tokens; ``bias`` is added to the scores.

        It is one for all, (heads, T, T), or one for each of the windows that follow each other in the batch, (windows,
        heads, T, T): windows then stand as heads. Neither takes torch's fused kernel, whose masked form can't be
        written as ONNX (torch 2.13).
        """
        num, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(num, tokens, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        if bias is not None and bias.ndim == 4:
            bias = bias.flatten(0, 1)
            q, k, v = (part.reshape(-1, bias.shape[0], tokens, self.head_dim) for part in (q, k, v))
        out = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        out = out.reshape(num, self.heads, tokens, self.head_dim).transpose(1, 2)
        projected: Tensor = self.projection(out.reshape(num, tokens, -1))
        return projected

    @staticmethod
    def layers(
        width: int, heads: int, head_dim: int, tokens: int, windows: int = 1, held: int = 0
    ) -> tuple[Layer, ...]:
        """Return what one image costs in ``windows`` sequences of ``tokens`` each."""
        inner, rows = heads * head_dim, windows * tokens
        return (
            linear_layer(width, 3 * inner, rows, held),
            *attention_products(heads, head_dim, tokens, tokens, windows, held),
            linear_layer(inner, width, rows, held),
        )


class CrossAttention(nn.Module):
    """Multi-head attention of ``queries`` (N, Q, width) over ``tokens`` (N, T, width)."""

    def __init__(self, width: int, heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, head_dim
        inner = heads * head_dim
        self.query = nn.Linear(width, inner)
        declare(self.query.weight, product(heads, head_dim), width)
        declare(self.query.bias, product(heads, head_dim))
        self.keys_values = nn.Linear(width, 2 * inner)
        declare(self.keys_values.weight, product(2, heads, head_dim), width)
        declare(self.keys_values.bias, product(2, heads, head_dim))
        self.projection = nn.Linear(inner, width)
        declare(self.projection.weight, width, product(heads, head_dim))

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Return what the queries found, (N, Q, width).

        Queries are made contiguous, since torch rounds a linear map of a strided batch by whether its weight learns.
        """
        num, length, _ = tokens.shape
        q = self.query(queries.contiguous()).view(num, -1, self.heads, self.head_dim).transpose(1, 2)
        k, v = self.keys_values(tokens).view(num, length, 2, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        out = nn.functional.scaled_dot_product_attention(q, k, v)
        projected: Tensor = self.projection(out.transpose(1, 2).reshape(num, q.shape[2], -1))
        return projected

    @staticmethod
    def layers(width: int, heads: int, head_dim: int, queries: int, tokens: int, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs."""
        inner = heads * head_dim
        return (
            linear_layer(width, inner, queries, held),
            linear_layer(width, 2 * inner, tokens, held),
            *attention_products(heads, head_dim, queries, tokens, held=held),
            linear_layer(inner, width, queries, held),
        )


class Mlp(nn.Module):
    """reduce(gelu(expand(x))) on the last axis."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden_width)
        self.reduce = nn.Linear(hidden_width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mapped tokens."""
        out: Tensor = self.reduce(nn.functional.gelu(self.expand(x)))
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the hidden units."""
        return (ChannelGroup("hidden", made_by(self, "expand"), Units("reduce.weight", 1)),)

    @staticmethod
    def layers(width: int, hidden_width: int, rows: int, held: int = 0) -> tuple[Layer, ...]:
        """Return what ``rows`` tokens cost."""
        hidden = rows * hidden_width
        return (
            linear_layer(width, hidden_width, rows, held),
            Layer("activation", 0, 0, hidden, hidden, held=held),
            linear_layer(hidden_width, width, rows, held),
        )


class PreNorm(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), on tokens or maps with channels last (N, ..., width)."""

    residual = True

    def __init__(self, attention: nn.Module, width: int, mlp_width: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = attention
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = Mlp(width, mlp_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` after attention and MLP."""
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out

    @staticmethod
    def layers_around(attention: tuple[Layer, ...], width: int, mlp_width: int, rows: int) -> tuple[Layer, ...]:
        """Return what one image of ``rows`` tokens costs, given the layers of the attention."""
        held = rows * width
        norm, add = layer_norm_layer(width, rows, held), add_layer(held)
        return norm, *attention, add, norm, *Mlp.layers(width, mlp_width, rows, held), add


def linear_layer(in_width: int, out_width: int, rows: int, held: int = 0, bias: bool = True) -> Layer:
    """Return the layer of a linear map on ``rows`` rows."""
    outputs = rows * out_width
    params = (in_width + bias) * out_width
    return Layer("linear", outputs * in_width, params, rows * in_width, outputs, outputs * bias, held)


def layer_norm_layer(width: int, rows: int, held: int = 0) -> Layer:
    """Return the layer of a LayerNorm of ``rows`` rows."""
    return Layer("layer_norm", 0, 2 * width, rows * width, rows * width, held=held)


def add_layer(elements: int) -> Layer:
    """Return the layer of a residual sum."""
    return Layer("add", 0, 0, 2 * elements, elements)


def attention_products(
    heads: int, head_dim: int, queries: int, keys: int, windows: int = 1, held: int = 0
) -> tuple[Layer, ...]:
    """Return q k', the softmax and its product with v, for ``windows`` separate sequences."""
    inner, scores = heads * head_dim, windows * heads * queries * keys
    attended, memory = windows * queries * inner, windows * keys * inner
    macs = scores * head_dim
    return (
        Layer("attention", macs, 0, attended + memory, scores, held=held),
        Layer("activation", 0, 0, scores, scores, held=held),
        Layer("attention", macs, 0, scores + memory, attended, held=held),
    )
