"""The stem of a wrapped module (``from_module``): the image as it is, since the module holds its own stem."""

from __future__ import annotations

from torch import nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer


@register_block("module_input")
class ModuleInput(nn.Identity):
    """(N, C, H, W) -> the same. ``scales`` false says that no rule changes its width."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, scales: bool = False) -> None:
        super().__init__()

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, scales: bool = False) -> tuple[Layer, ...]:
        """Return what one image costs: it is read."""
        return (Layer("copy", inputs=in_width * in_size[0] * in_size[1]),)
