"""Stem of CrossViT (Chen et al. 2021): the image as two rows of tokens, of small and of large patches.

The large branch sees the image resized (bicubic) so that ``grid_ratio`` times as many patches fit a side. Instead of
one patchify convolution, a ``convolutional`` stem (the dagger variants) has three: 7x7 with stride 4, then two of 3x3.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.patch_embed import PatchEmbed
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.tokens import GridTokens

TOKENS = tuple[Tensor, Tensor]

# Stride and padding of the second and third convolution by patch, of models/crossvit.py in IBM/CrossViT.
CONVOLUTIONS = {12: ((3, 0), (1, 1)), 16: ((2, 1), (2, 1))}


def large_grid(size: Size, ratio: float) -> Size:
    """Return the grid of large patches beside a grid ``size`` of small ones."""
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


class ConvPatches(GridTokens):
    """(N, in_width, H, W) -> tokens of patches of 12 or 16 pixels by three convolutions."""

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, stride: int) -> None:
        super().__init__((in_size[0] // stride, in_size[1] // stride), out_width)
        (first, first_padding), (second, second_padding) = CONVOLUTIONS[stride]
        self.convs = nn.Sequential(
            nn.Conv2d(in_width, out_width // 4, 7, 4, 3),
            nn.ReLU(),
            nn.Conv2d(out_width // 4, out_width // 2, 3, first, first_padding),
            nn.ReLU(),
            nn.Conv2d(out_width // 2, out_width, 3, second, second_padding),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        return super().forward(self.convs(x))

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, stride: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        widths, size, found = (in_width, out_width // 4, out_width // 2, out_width), in_size, []
        steps = (4, *(step for step, _ in CONVOLUTIONS[stride]))
        for width, out, kernel, step in zip(widths, widths[1:], (7, 3, 3), steps, strict=False):
            inputs, size = width * size[0] * size[1], (size[0] // step, size[1] // step)
            cells, weight = size[0] * size[1], kernel * kernel * width * out
            found.append(Layer("conv", weight * cells, weight + out, inputs, out * cells, out * cells))
            if out != out_width:
                found.append(Layer("activation", 0, 0, out * cells, out * cells))
        return *found, *GridTokens.token_layers(size, out_width)


@register_block("crossvit_stem")
class CrossVitStem(nn.Module):
    """(N, in_width, H, W) -> tokens of small patches (N, T, small_width) and of large ones (N, T', out_width).

    Args:
        in_width: channels of the image.
        out_width: channels of the tokens of large patches.
        in_size: (height, width) of the image.
        small_width: channels of the tokens of small patches.
        stride: side of the small patches; it divides the image.
        large_patch: side of the large patches.
        grid_ratio: large patches a side over small patches a side.
        convolutional: whether patches are embedded by three convolutions; patches are 12 and 16 then.
    """

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        small_width: int,
        stride: int = 12,
        large_patch: int = 16,
        grid_ratio: float = 0.7,
        convolutional: bool = False,
    ) -> None:
        super().__init__()
        _check(in_size, stride, large_patch, convolutional)
        self.large_size = _large_size(in_size, stride, large_patch, grid_ratio)
        kind = ConvPatches if convolutional else PatchEmbed
        self.small = kind(in_width, small_width, in_size, stride=stride)
        self.large = kind(in_width, out_width, self.large_size, stride=large_patch)

    def forward(self, x: Tensor) -> TOKENS:
        """Return the tokens of both branches."""
        resized = x
        if tuple(x.shape[2:]) != self.large_size:
            resized = nn.functional.interpolate(x, self.large_size, mode="bicubic", align_corners=False)
        return self.small(x), self.large(resized)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        small_width: int,
        stride: int = 12,
        large_patch: int = 16,
        grid_ratio: float = 0.7,
        convolutional: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_size, stride, large_patch, convolutional)
        large_size = _large_size(in_size, stride, large_patch, grid_ratio)
        kind = ConvPatches if convolutional else PatchEmbed
        pixels = in_width * in_size[0] * in_size[1]
        resized = Layer("copy", 0, 0, pixels, in_width * large_size[0] * large_size[1])
        return (
            *kind.layers(in_width, small_width, in_size, stride=stride),
            *((resized,) if large_size != in_size else ()),
            *kind.layers(in_width, out_width, large_size, stride=large_patch),
        )


def _large_size(size: Size, patch: int, large_patch: int, ratio: float) -> Size:
    """Return the size in pixels of the image that the large branch sees."""
    rows, columns = large_grid((size[0] // patch, size[1] // patch), ratio)
    return rows * large_patch, columns * large_patch


def _check(size: Size, patch: int, large_patch: int, convolutional: bool) -> None:
    if size[0] % patch or size[1] % patch:
        sides = [p for p in range(1, min(size) + 1) if size[0] % p == 0 and size[1] % p == 0]
        raise UsageError(f"patch {patch} does not divide the resolution {size[0]}x{size[1]}: allowed patches: {sides}")
    if convolutional:
        for side in (patch, large_patch):
            if side not in CONVOLUTIONS:
                raise UsageError(f"a convolutional crossvit_stem got patch {side}: allowed: {list(CONVOLUTIONS)}")
