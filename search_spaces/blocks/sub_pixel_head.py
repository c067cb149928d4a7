"""Super-resolution by sub-pixel convolution over the fused pyramid (ESPCN: Shi et al. 2016, arXiv 1609.05158).

All convolutions run on the small map; the last gives r^2 values for each of its cells, which are laid out as r x r
pixels (equation 4). The paper's three layers (5x5 and 3x3 with tanh, 3x3) stand on the finest map of the backbone,
which may itself be smaller than the image: r is then the factor times that reduction.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.prediction import Prediction
from search_spaces.pyramid import Fusion, Levels, backbone_levels


class TanhConv(nn.Conv2d):
    """tanh of a same-padded convolution with bias."""

    def __init__(self, in_width: int, out_width: int, kernel: int) -> None:
        super().__init__(in_width, out_width, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        return torch.tanh(super().forward(x))


def tanh_conv_layers(in_width: int, out_width: int, size: Size, kernel: int) -> tuple[Layer, ...]:
    """Return what one image costs in ``TanhConv``."""
    elements = out_width * size[0] * size[1]
    return Prediction.layer(in_width, out_width, size, kernel), Layer("activation", 0, 0, elements, elements)


@register_block("sub_pixel_head")
class SubPixelHead(nn.Module):
    """The levels of a pyramid -> images (N, out_width, factor x H, factor x W), H x W of the image.

    Args:
        in_width, in_size: of the last map.
        out_width: channels of the images.
        levels: of the pyramid.
        factor: how many times higher and wider the output is.
        decoder_width: channels of the fused map.
        hidden_width: channels behind the first convolution; half as many are behind the second.
    """

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        levels: Levels,
        factor: int = 2,
        decoder_width: int = 16,
        hidden_width: int = 32,
    ) -> None:
        super().__init__()
        steps = pixels_a_cell(levels, factor)
        self.size = (factor * levels[0].size[0], factor * levels[0].size[1])
        self.fusion = Fusion(levels, decoder_width)
        self.first = TanhConv(decoder_width, hidden_width, 5)
        self.second = TanhConv(hidden_width, hidden_width // 2, 3)
        self.pixels = Prediction(hidden_width // 2, steps**2 * out_width, 3, start=0.5, copies=steps**2)
        self.steps = steps

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Return the images, values near 0..1; a map that covers more than the image is cut at its end."""
        pixels = nn.functional.pixel_shuffle(self.pixels(self.second(self.first(self.fusion(x)))), self.steps)
        return pixels[:, :, : self.size[0], : self.size[1]]

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        levels: Levels,
        factor: int = 2,
        decoder_width: int = 16,
        hidden_width: int = 32,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        finest, steps = backbone_levels(levels)[0].size, pixels_a_cell(levels, factor)
        elements = out_width * steps**2 * finest[0] * finest[1]
        return (
            *Fusion.layers(levels, decoder_width),
            *tanh_conv_layers(decoder_width, hidden_width, finest, 5),
            *tanh_conv_layers(hidden_width, hidden_width // 2, finest, 3),
            Prediction.layer(hidden_width // 2, steps**2 * out_width, finest, 3),
            Layer("copy", 0, 0, elements, elements),
        )


def pixels_a_cell(levels: Levels, factor: int) -> int:
    """Return r, the pixels of the output a side of each cell of the backbone's finest map.

    Raises:
        UsageError: the factor is below 1.
    """
    if factor < 1:
        raise UsageError(f"a sub_pixel_head got factor {factor}: allowed: 1, 2, 3, ...")
    image, finest = levels[0].size, backbone_levels(levels)[0].size
    return factor * max(-(-image[0] // finest[0]), -(-image[1] // finest[1]))
