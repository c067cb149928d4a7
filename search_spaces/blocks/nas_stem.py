"""Stems of NASNet and PNASNet (Zoph et al. 2018; Liu et al. 2018): a convolution, for ImageNet two cells, too."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.nas_cell import CellBody, NasCell, States, part_width
from search_spaces.conv import ConvNormAct, ReluConvNorm, Size, conv_layers, relu_conv_layers
from search_spaces.errors import UsageError
from search_spaces.layers import Layer

STRIDES = (1, 8)


@register_block("nas_stem")
class NasStem(nn.Module):
    """(N, in_width, H, W) -> the pair of maps that the first cell reads; the second is (N, out_width, H / s, W / s).

    Stride 1: a 3x3 convolution and BatchNorm, twice the same map. Stride 8: an unpadded 3x3 convolution of stride 2 to
    ``conv_width`` channels and two cells of stride 2, to ``first_width`` and ``out_width`` channels; the first reads
    the convolution's map without adapting its width. Sides of 8 k + 1 and 8 k + 2 pixels lose a column and are refused.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        cell: str,
        conv_width: int,
        first_width: int = 0,
        stride: int = 8,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        _check(in_size, out_width, conv_width, first_width, stride)
        self.cells = stride == 8
        if not self.cells:
            self.conv = ConvNormAct(in_width, out_width, 3)
            return
        width = part_width(cell, 2, first_width)
        self.unpadded = nn.Conv2d(in_width, conv_width, 3, 2, bias=False)
        self.norm = nn.BatchNorm2d(conv_width)
        self.adapt = ReluConvNorm(conv_width, width, 1)
        self.first = CellBody(cell, 2, conv_width, first_width, drop_path / 2)
        self.second = NasCell(
            first_width,
            out_width,
            after_conv(in_size),
            cell=cell,
            prev_width=conv_width,
            prev_stride=2,
            stride=2,
            drop_path=drop_path,
        )

    def forward(self, x: Tensor) -> States:
        """Return (p, h)."""
        if not self.cells:
            x = self.conv(x)
            return x, x
        x = self.norm(self.unpadded(x))
        states: States = self.second((x, self.first(self.adapt(x), x)))
        return states

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        cell: str,
        conv_width: int,
        first_width: int = 0,
        stride: int = 8,
        drop_path: float = 0.0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_size, out_width, conv_width, first_width, stride)
        if stride == 1:
            return conv_layers(in_width, out_width, in_size, 3)
        width, size = part_width(cell, 2, first_width), after_conv(in_size)
        inputs, outputs = in_width * in_size[0] * in_size[1], conv_width * size[0] * size[1]
        half = (-(-size[0] // 2), -(-size[1] // 2))
        return (
            Layer("conv", 9 * in_width * outputs, 9 * in_width * conv_width, inputs, outputs),
            Layer("batch_norm", 0, 2 * conv_width, outputs, outputs),
            *relu_conv_layers(conv_width, width, size, 1, held=outputs),
            *CellBody.layers(cell, 2, conv_width, first_width, size, 0),
            *NasCell.layers(
                first_width,
                out_width,
                half,
                cell=cell,
                prev_width=conv_width,
                prev_stride=2,
                stride=2,
            ),
        )


def after_conv(in_size: Size) -> Size:
    """Return the size after the unpadded 3x3 convolution of stride 2."""
    return (in_size[0] - 1) // 2, (in_size[1] - 1) // 2


def _check(in_size: Size, out_width: int, conv_width: int, first_width: int, stride: int) -> None:
    if stride not in STRIDES:
        raise UsageError(f"a nas_stem block got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
    if stride == 1 and conv_width != out_width:
        raise UsageError(f"a nas_stem block of stride 1 got conv_width {conv_width}: allowed: its width, {out_width}")
    if stride == 8 and first_width < 1:
        raise UsageError(f"a nas_stem block of stride 8 got first_width {first_width}: give the first cell's channels")
    for side in in_size:
        if stride == 8 and (side % 8 in (1, 2) or side < 11):
            raise UsageError(f"resolution {side} of a nasnet: allowed: 11 pixels or more, not 8 k + 1 or 8 k + 2")
