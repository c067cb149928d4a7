"""Patchify stem of a vision transformer: strided convolution, class token, absolute positions (Dosovitskiy 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer


@register_block("patch_embed")
class PatchEmbed(nn.Module):
    """(N, in_width, H, W) -> tokens (N, 1 + H/p x W/p, out_width), the class token first."""

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__()
        _check_divides(in_size, stride)
        num_tokens = 1 + (in_size[0] // stride) * (in_size[1] // stride)
        self.projection = nn.Conv2d(in_width, out_width, stride, stride)
        self.class_token = nn.Parameter(torch.empty(1, 1, out_width))
        self.positions = nn.Parameter(torch.empty(1, num_tokens, out_width))

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill one of the block's own parameters: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        tokens = self.projection(x).flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1) + self.positions

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_divides(in_size, stride)
        patches = (in_size[0] // stride) * (in_size[1] // stride)
        weight, outputs = stride * stride * in_width * out_width, patches * out_width
        tokens = outputs + out_width
        inputs = in_width * in_size[0] * in_size[1]
        return (
            Layer("conv", weight * patches, weight + out_width, inputs, outputs, outputs),
            Layer("copy", 0, out_width, outputs, tokens),
            Layer("add", 0, tokens, 2 * tokens, tokens),
        )


def _check_divides(size: Size, patch: int) -> None:
    if size[0] % patch or size[1] % patch:
        sides = [p for p in range(1, min(size) + 1) if size[0] % p == 0 and size[1] % p == 0]
        raise UsageError(f"patch {patch} does not divide the resolution {size[0]}x{size[1]}: allowed patches: {sides}")
