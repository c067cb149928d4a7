"""WaveMix (Jeevan et al. 2022, arXiv 2205.14375): convolutions among the bands of a Haar wavelet transform.

x_0 = 1x1 convolution of x to a quarter of the channels. For level l, the deepest first: the l-fold Haar transform of
x_0 gives 4 bands at 1 / 2^l of each side; y = norm(transposed convolution 4x4, stride 2 (W_2 gelu(W_1 [bands, y of the
level below]))), with half of the width, at the last level the whole. Maps that 2^levels does not divide are padded by
zeros on the right and below, and cut afterwards. A ``window`` of 2^l or more, less than 2^(l + 1), means l levels.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from search_spaces.channels import ChannelGroup, Units, made_by
from search_spaces.errors import UsageError
from search_spaces.haar import dwt
from search_spaces.layers import Layer
from search_spaces.layout import Plain, Segments, declare, product
from search_spaces.maps import plain_conv, plain_conv_layer
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place, Size

BANDS = 4
REDUCTION = 4
EXPANSION = 2


class UpConv(nn.ConvTranspose2d):
    """Transposed convolution: four taps of every input channel reach an output."""

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill weight or bias: normal of variance 1 / (4 inputs), zeros."""
        if name == "bias":
            tensor.zero_()
        else:
            tensor.normal_(std=(4 * tensor.shape[0]) ** -0.5)


class WaveLevel(nn.Module):
    """The bands of one level and what came from the level below it, to a map of twice the side."""

    def __init__(self, width: int, out_width: int, below: int) -> None:
        super().__init__()
        bands = product(BANDS, width // REDUCTION)
        self.expand = nn.Conv2d(width + below, EXPANSION * width, 1)
        declare(self.expand.weight, EXPANSION * width, Segments((("bands", bands), ("below", Plain(below)))), 1, 1)
        self.reduce = nn.Conv2d(EXPANSION * width, width, 1)
        self.up = UpConv(width, out_width, 4, 2, 1)
        self.norm = nn.BatchNorm2d(out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map of twice the side."""
        mixed = self.reduce(nn.functional.gelu(self.expand(x)))
        out: Tensor = self.norm(self.up(mixed))
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the hidden channels."""
        return (ChannelGroup("hidden", made_by(self, "expand"), Units("reduce.weight", 1)),)

    @staticmethod
    def layers(width: int, out_width: int, below: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs on bands of ``size``."""
        cells, hidden = size[0] * size[1], EXPANSION * width
        weight, outputs = 16 * width * out_width, 4 * cells * out_width
        up = Layer("conv", weight * cells, weight + out_width, width * cells, outputs, outputs, held)
        return (
            plain_conv_layer(width + below, hidden, size, 1, held=held),
            Layer("activation", 0, 0, hidden * cells, hidden * cells, held=held),
            plain_conv_layer(hidden, width, size, 1, held=held),
            up,
            Layer("batch_norm", 0, 2 * out_width, outputs, outputs, held=held),
        )


@register_mixer("wavemix", reach="window")
class WaveMix(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.num_levels = _num_levels(place)
        self.squeeze = plain_conv(place.width, place.width // REDUCTION, 1)
        self.levels = nn.ModuleDict(
            {f"level{level}": WaveLevel(place.width, out, below) for level, out, below in _widths(place)}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        height, width = x.shape[2:]
        step = 2**self.num_levels
        average = nn.functional.pad(self.squeeze(x), (0, -width % step, 0, -height % step))
        bands = []
        for _ in range(self.num_levels):
            bands.append(dwt(average))
            average = bands[-1][:, 0]
        below: list[Tensor] = []
        for level, of_level in zip(self.levels.values(), reversed(bands), strict=True):
            below = [level(torch.cat([of_level.flatten(1, 2), *below], 1))]
        return below[0][:, :, :height, :width]

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width, num_levels = place.width, _num_levels(place)
        step = 2**num_levels
        rows, columns = -(-place.size[0] // step) * step, -(-place.size[1] // step) * step
        found = [plain_conv_layer(width, width // REDUCTION, place.size, 1, held=held)]
        kept = held + width // REDUCTION * rows * columns
        for level, out, below in _widths(place):
            size = rows // 2**level, columns // 2**level
            elements = width // REDUCTION * BANDS * size[0] * size[1]
            found.append(Layer("copy", 0, 0, elements, elements, held=kept))
            found += WaveLevel.layers(width, out, below, size, kept)
        return tuple(found)


def _num_levels(place: Place) -> int:
    place.require_multiple("wavemix", REDUCTION)
    if place.window < 2:
        raise UsageError(f"token mixer 'wavemix' got window {place.window}: allowed: 2 or more")
    return place.window.bit_length() - 1


def _widths(place: Place) -> Iterator[tuple[int, int, int]]:
    """Yield (level, width of its output, width that comes from the level below), the deepest first."""
    num_levels = _num_levels(place)
    for level in range(num_levels, 0, -1):
        yield level, place.width // (1 if level == 1 else 2), 0 if level == num_levels else place.width // 2
