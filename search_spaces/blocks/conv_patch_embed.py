"""Convolutional patchify stem of ViT-ResNAS (Liao et al. 2021): three 3x3 convolutions, then patches of half the side.

c1 = conv(x) with stride 2, then patches of c1 + conv(conv(c1)); each conv is convolution, BatchNorm, ReLU.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.patch_embed import PatchEmbed
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.errors import UsageError
from search_spaces.layers import Layer


@register_block("conv_patch_embed")
class ConvPatchEmbed(nn.Module):
    """(N, in_width, H, W) -> tokens (N, 1 + H/p x W/p, out_width), the class token first; p is even."""

    uses_size = True

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int, mid_width: int = 24) -> None:
        super().__init__()
        self.reduce = ConvNormAct(in_width, mid_width, 3, 2, activation="relu")
        self.first = ConvNormAct(mid_width, mid_width, 3, activation="relu")
        self.second = ConvNormAct(mid_width, mid_width, 3, activation="relu")
        self.patches = PatchEmbed(mid_width, out_width, _halved(in_size, stride), stride=stride // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        x = self.reduce(x)
        tokens: Tensor = self.patches(x + self.second(self.first(x)))
        return tokens

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int, mid_width: int = 24) -> tuple[Layer, ...]:
        """Return what one image costs."""
        size = _halved(in_size, stride)
        elements = mid_width * size[0] * size[1]
        return (
            *conv_layers(in_width, mid_width, in_size, 3, 2, activation="relu"),
            *conv_layers(mid_width, mid_width, size, 3, activation="relu", held=elements),
            *conv_layers(mid_width, mid_width, size, 3, activation="relu", held=elements),
            Layer("add", 0, 0, 2 * elements, elements),
            *PatchEmbed.layers(mid_width, out_width, size, stride=stride // 2),
        )


def _halved(size: Size, patch: int) -> Size:
    if patch % 2 or size[0] % patch or size[1] % patch:
        allowed = [p for p in range(2, min(size) + 1, 2) if size[0] % p == 0 and size[1] % p == 0]
        raise UsageError(
            f"patch {patch} of a convolutional stem at resolution {size[0]}x{size[1]}: allowed: even divisors {allowed}"
        )
    return size[0] // 2, size[1] // 2
