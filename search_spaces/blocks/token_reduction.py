"""Residual spatial reduction between two stages of a transformer (ViT-ResNAS, Liao et al. 2021).

With y = norm(x), on the grid of patches and on the class token:
    patches: conv3x3, stride 2 (y) + positions + pad(avg_pool2(x)),   class token: linear(y) + pad(x),
where pad adds channels of zeros up to the new width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import Plain, declare, product, resized
from search_spaces.tokens import add_layer, layer_norm_layer, linear_layer


@register_block("token_reduction")
class TokenReduction(nn.Module):
    """Tokens (N, 1 + H x W, in_width) -> (N, 1 + H/2 x W/2, out_width), the class token first."""

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> None:
        super().__init__()
        _check(in_width, out_width, in_size, stride)
        self.in_size = in_size
        self.norm = nn.LayerNorm(in_width)
        self.reduce = nn.Conv2d(in_width, out_width, 3, 2, 1)
        self.pool = nn.AvgPool2d(2)
        self.class_token = nn.Linear(in_width, out_width)
        rows, columns = in_size[0] // 2, in_size[1] // 2
        self.positions = nn.Parameter(torch.empty(1, rows * columns, out_width))
        declare(self.positions, 1, product(resized(rows), resized(columns)), Plain(out_width))

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill the positions: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens of the coarser grid."""
        y = self.norm(x)
        patches = self.reduce(self._grid(y)).flatten(2).transpose(1, 2) + self.positions
        changed = torch.cat([self.class_token(y[:, 0])[:, None], patches], dim=1)
        kept = torch.cat([x[:, :1], self.pool(self._grid(x)).flatten(2).transpose(1, 2)], dim=1)
        return changed + nn.functional.pad(kept, (0, changed.shape[2] - kept.shape[2]))

    def _grid(self, x: Tensor) -> Tensor:
        """Return the patches of ``x`` as a map (N, C, H, W)."""
        return x[:, 1:].transpose(1, 2).reshape(x.shape[0], x.shape[2], *self.in_size)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int = 2) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, in_size, stride)
        cells, patches = in_size[0] * in_size[1], (in_size[0] // 2) * (in_size[1] // 2)
        weight, outputs, held = 9 * in_width * out_width, patches * out_width, (1 + cells) * in_width
        return (
            layer_norm_layer(in_width, 1 + cells, held),
            Layer("conv", weight * patches, weight + out_width, cells * in_width, outputs, outputs, held),
            Layer("add", 0, outputs, 2 * outputs, outputs, held=held),
            linear_layer(in_width, out_width, 1, held + outputs),
            Layer("avg_pool", 0, 0, cells * in_width, patches * in_width, held=outputs),
            add_layer((1 + patches) * out_width),
        )


def _check(in_width: int, out_width: int, in_size: Size, stride: int) -> None:
    if stride != 2:
        raise UsageError(f"a token_reduction block got stride {stride}: allowed: 2")
    if in_size[0] % 2 or in_size[1] % 2:
        raise UsageError(f"a token_reduction block got a grid of {in_size[0]}x{in_size[1]}: allowed: even sides")
    if out_width < in_width:
        raise UsageError(f"a token_reduction block got widths {in_width} -> {out_width}: allowed: no smaller ones")
