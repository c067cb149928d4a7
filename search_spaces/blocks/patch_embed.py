"""Patchify stem of a vision transformer: strided convolution, class token, absolute positions (Dosovitskiy 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.tokens import GridTokens


@register_block("patch_embed")
class PatchEmbed(GridTokens):
    """(N, in_width, H, W) -> tokens (N, 1 + H/p x W/p, out_width), the class token, if there is one, first.

    The patch is part of the kernel's name, since kernels of two patch sizes have nothing in common.
    """

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int, class_token: bool = True) -> None:
        _check_divides(in_size, stride)
        super().__init__((in_size[0] // stride, in_size[1] // stride), out_width, class_token)
        self.projection_name = f"projection{stride}"
        self.add_module(self.projection_name, nn.Conv2d(in_width, out_width, stride, stride))

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        return super().forward(self.get_submodule(self.projection_name)(x))

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, stride: int, class_token: bool = True
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_divides(in_size, stride)
        grid = in_size[0] // stride, in_size[1] // stride
        patches, weight = grid[0] * grid[1], stride * stride * in_width * out_width
        inputs, outputs = in_width * in_size[0] * in_size[1], patches * out_width
        projection = Layer("conv", weight * patches, weight + out_width, inputs, outputs, outputs)
        return projection, *PatchEmbed.token_layers(grid, out_width, class_token)


def _check_divides(size: Size, patch: int) -> None:
    if size[0] % patch or size[1] % patch:
        sides = [p for p in range(1, min(size) + 1) if size[0] % p == 0 and size[1] % p == 0]
        raise UsageError(f"patch {patch} does not divide the resolution {size[0]}x{size[1]}: allowed patches: {sides}")
