"""Stem of ConvNeXt and HorNet: a convolution whose kernel is its stride, then LayerNorm over channels."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.maps import ChannelNorm, plain_conv_layer


@register_block("patch_norm_stem")
class PatchNormStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H / stride, W / stride); the stride divides both sides."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, stride: int, decomposed_norm: bool = False
    ) -> None:
        super().__init__()
        _check_divides(in_size, stride)
        self.projection = nn.Conv2d(in_width, out_width, stride, stride)
        self.norm = ChannelNorm(out_width, decomposed_norm)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map of patches."""
        normalised: Tensor = self.norm(self.projection(x))
        return normalised

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, stride: int, decomposed_norm: bool = False
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check_divides(in_size, stride)
        size = in_size[0] // stride, in_size[1] // stride
        return (
            plain_conv_layer(in_width, out_width, in_size, stride, stride),
            ChannelNorm.layer(out_width, size, decomposed_norm),
        )


def _check_divides(size: Size, patch: int) -> None:
    if size[0] % patch or size[1] % patch:
        raise UsageError(
            f"patch {patch} does not divide the resolution {size[0]}x{size[1]}: allowed sides: multiples of {patch}"
        )
