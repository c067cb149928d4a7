"""HorNet's global-local filter: half of the channels pass a 3x3 convolution, half a filter of all frequencies.

With x' = norm(x) = (u, v): norm of the channels of depthwise(u) and irfft2(K * rfft2(v)) in turn, K learned (Rao et al.
2022, section 3.3; the filter is that of GFNet, Rao et al. 2021). A piece of the ``hornet`` block, not a block.

K has one entry a frequency, so that it belongs to one size of map; that of another size is it, resized.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.layout import Axis, declare, product, resized
from search_spaces.maps import ChannelNorm, plain_conv, plain_conv_layer

FIRST_FILTER_STD = 0.02


class GlobalFilter(nn.Module):
    """irfft2(K * rfft2(x)) on maps (N, width, H, W) of one size."""

    def __init__(self, width: int, size: Size, half: Axis) -> None:
        super().__init__()
        rows, columns = frequencies(size)
        self.weight = nn.Parameter(torch.empty(width, rows, columns, 2))
        declare(self.weight, half, resized(rows), resized(columns), 2)

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill the filter: truncated normal, 0.02."""
        nn.init.trunc_normal_(tensor, std=FIRST_FILTER_STD)

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered map; in single precision at least, since FFTs of half precision need powers of two."""
        spectrum = torch.fft.rfft2(x.float() if x.dtype in (torch.float16, torch.bfloat16) else x, norm="ortho")
        weight = torch.view_as_complex(self.weight.to(spectrum.real.dtype))
        filtered: Tensor = torch.fft.irfft2(spectrum * weight, s=x.shape[2:], norm="ortho")
        return filtered.to(x.dtype)


def frequencies(size: Size) -> Size:
    """Return the shape of the spectrum of a real map of ``size``."""
    return size[0], size[1] // 2 + 1


class GlobalLocalFilter(nn.Module):
    """(N, C, H, W) -> same shape; ``half`` is the axis of each half of the channels."""

    def __init__(self, width: int, size: Size, half: Axis) -> None:
        super().__init__()
        self.norm = ChannelNorm(width, decomposed=True)
        self.local = plain_conv(width // 2, width // 2, 3, groups=width // 2, bias=False)
        self.spectral = GlobalFilter(width // 2, size, half)
        self.out_norm = ChannelNorm(width, decomposed=True)
        for parameter in self.norm.parameters():
            declare(parameter, product(2, half))
        declare(self.local.weight, half, 1, 3, 3)
        for parameter in self.out_norm.parameters():
            declare(parameter, product(half, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered map."""
        local, spectral = self.norm(x).chunk(2, 1)
        both = torch.stack([self.local(local), self.spectral(spectral)], 2)
        normalised: Tensor = self.out_norm(both.flatten(1, 2))
        return normalised

    @staticmethod
    def layers(width: int, size: Size, held: int = 0) -> tuple[Layer, ...]:
        """Return what one image costs."""
        rows, columns = frequencies(size)
        half = width // 2
        elements = half * size[0] * size[1]
        return (
            ChannelNorm.layer(width, size, decomposed=True, held=held),
            plain_conv_layer(half, half, size, 3, groups=half, bias=False, held=held + elements),
            Layer("scale", 0, half * rows * columns * 2, elements, elements, held=held + elements),
            Layer("copy", 0, 0, 2 * elements, 2 * elements, held=held),
            ChannelNorm.layer(width, size, decomposed=True, held=held),
        )
