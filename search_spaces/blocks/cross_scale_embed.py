"""Cross-scale embedding (CrossFormer, Wang et al. 2022, section 3.1): patches of several sizes around each cell.

Convolutions of kernels s, 2s, 4s, 8s and stride s give 1/2, 1/4, 1/8, 1/8 of the channels, then a norm. Channels are
interleaved, eight by eight: four of the first kernel, two of the second, one each of the others. So a narrower stem is
a leading part.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import ChannelNorm

SHARES = (4, 2, 1, 1)


@register_block("cross_scale_embed")
class CrossScaleEmbed(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H / stride, W / stride); the stride, even, divides both sides."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__()
        _check(out_width, in_size, stride)
        self.names = []
        for index, share in enumerate(SHARES):
            kernel = stride * 2**index
            self.names.append(f"patch{kernel}")
            conv = nn.Conv2d(in_width, out_width // 8 * share, kernel, stride, (kernel - stride) // 2)
            self.add_module(self.names[-1], conv)
        self.norm = ChannelNorm(out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map of cells."""
        found: list[Tensor] = [self.get_submodule(name)(x) for name in self.names]
        num, _, height, width = found[0].shape
        parts = [part.reshape(num, -1, share, height, width) for part, share in zip(found, SHARES, strict=True)]
        normalised: Tensor = self.norm(torch.cat(parts, dim=2).flatten(1, 2))
        return normalised

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(out_width, in_size, stride)
        size = in_size[0] // stride, in_size[1] // stride
        cells, inputs = size[0] * size[1], in_width * in_size[0] * in_size[1]
        convs = []
        for index, share in enumerate(SHARES):
            width = out_width // 8 * share
            weight = (stride * 2**index) ** 2 * in_width * width
            convs.append(Layer("conv", weight * cells, weight + width, inputs, width * cells, width * cells))
        elements = out_width * cells
        return (*convs, Layer("copy", 0, 0, elements, elements), ChannelNorm.layer(out_width, size))


def _check(out_width: int, in_size: Size, stride: int) -> None:
    if out_width % 8:
        raise UsageError(f"a cross_scale_embed block got width {out_width}: allowed: multiples of 8")
    if stride % 2 or in_size[0] % stride or in_size[1] % stride:
        allowed = [p for p in range(2, min(in_size) + 1, 2) if in_size[0] % p == 0 and in_size[1] % p == 0]
        raise UsageError(
            f"patch {stride} of a cross-scale stem at resolution {in_size[0]}x{in_size[1]}: "
            f"allowed: even divisors {allowed}"
        )
