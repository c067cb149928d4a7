"""Structured global convolution (Li et al. 2022, arXiv 2210.09298): a kernel as long as the sequence, few parameters.

k = concatenation over the scales i = 0 ... S - 1 of upsample(w_i, 2^max(0, i - 1)) * 2^(S - 1 - i), of unit norm over
its length, where each w_i has d values a channel and S = 1 + ceil(log2(L / d)); so the far past weighs less. The cells
in rows are the sequence; a second kernel looks ahead ("bidirectional"). y = irfft(rfft(x) rfft(k)) + D x, then GELU and
a 1x1 convolution. The reference fixes the norm at its first call; here every call divides by it, since a network that
is cut out of shared weights has no first call. ONNX has the transforms as DFT operators (operator set 20).
"""

from __future__ import annotations

from math import ceil, log2

import torch
from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.maps import plain_conv, plain_conv_layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import add_layer

KERNEL_DIM = 4
DECAY = 2.0


def num_scales(length: int, dim: int = KERNEL_DIM) -> int:
    """Return S for a sequence of ``length``."""
    return 1 + ceil(log2(max(1.0, length / dim)))


class GlobalKernel(nn.Module):
    """A kernel (C, length) of unit norm; the scales of a shorter one are the first of a longer one."""

    def __init__(self, width: int, length: int, dim: int = KERNEL_DIM) -> None:
        super().__init__()
        self.length = length
        self.scales = nn.ParameterList(torch.empty(width, dim) for _ in range(num_scales(length, dim)))

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill one scale: normal."""
        tensor.normal_()

    def forward(self) -> Tensor:
        """Return the kernel."""
        last = len(self.scales) - 1
        parts = [
            nn.functional.interpolate(scale[None], scale_factor=2 ** max(0, index - 1), mode="linear")[0]
            * DECAY ** (last - index)
            for index, scale in enumerate(self.scales)
        ]
        kernel = torch.cat(parts, -1)[:, : self.length]
        return nn.functional.normalize(kernel, dim=-1)


def long_convolution(x: Tensor, past: Tensor, ahead: Tensor) -> Tensor:
    """Return y_t = sum_s past_s x_(t-s) + sum_s ahead_s x_(t+1+s) for x (N, C, L), by transforms of length 2 L.

    Both kernels are (C, L); the last value of ``ahead`` never meets the sequence.
    """
    length = x.shape[-1]
    both = nn.functional.pad(past, (0, length)) + nn.functional.pad(ahead.flip(-1), (length, 0))
    # Transforms of half precision need powers of two.
    single = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    spectrum = torch.fft.rfft(single, n=2 * length) * torch.fft.rfft(both.to(single.dtype), n=2 * length)
    mixed: Tensor = torch.fft.irfft(spectrum, n=2 * length)[..., :length].to(x.dtype)
    return mixed


@register_mixer("sgconv")
class SgConv(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.past = GlobalKernel(place.width, place.cells)
        self.ahead = GlobalKernel(place.width, place.cells)
        self.direct = nn.Conv2d(place.width, place.width, 1, groups=place.width, bias=False)
        self.mix = plain_conv(place.width, place.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map."""
        mixed = long_convolution(x.flatten(2), self.past(), self.ahead()).reshape(x.shape)
        out: Tensor = self.mix(nn.functional.gelu(mixed + self.direct(x)))
        return out

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; transforms are no products and count nothing, as in fvcore."""
        width, elements = place.width, place.elements
        kernels = 2 * width * KERNEL_DIM * num_scales(place.cells)
        kept = held + elements
        return (
            Layer("copy", 0, kernels, kernels, 2 * elements, held=kept, shared=kernels + 2 * elements),
            Layer("scale", 0, 0, 2 * elements, 2 * elements, held=kept + elements),
            Layer("depthwise", elements, width, elements, elements, held=kept),
            add_layer(elements),
            Layer("activation", 0, 0, elements, elements, held=held),
            plain_conv_layer(width, width, place.size, 1, held=held),
        )
