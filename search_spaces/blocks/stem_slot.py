"""A stem by name: patches, convolutions (ViT-C) or cross-scale patches (CrossFormer), of a patch that is searched.

Name and patch are part of the parameters' names: kernels of two patch sizes have nothing in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.cross_scale_embed import CrossScaleEmbed
from search_spaces.blocks.early_conv_stem import EarlyConvStem
from search_spaces.blocks.patch_norm_stem import PatchNormStem
from search_spaces.conv import Size
from search_spaces.errors import unknown
from search_spaces.layers import Layer

if TYPE_CHECKING:
    Stem = PatchNormStem | EarlyConvStem | CrossScaleEmbed

STEMS: dict[str, type[Stem]] = {"patch": PatchNormStem, "conv": EarlyConvStem, "cross_scale": CrossScaleEmbed}


@register_block("stem_slot")
class StemSlot(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H / stride, W / stride); ``stem`` names it, the stride is the patch."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stem: str, stride: int) -> None:
        super().__init__()
        self.stem_name = f"{stem}{stride}"
        self.add_module(self.stem_name, _stem(stem)(in_width, out_width, in_size, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        out: Tensor = self.get_submodule(self.stem_name)(x)
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stem: str, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return _stem(stem).layers(in_width, out_width, in_size, stride=stride)


def _stem(name: str) -> type[Stem]:
    if name not in STEMS:
        raise unknown("stem", name, STEMS)
    return STEMS[name]
