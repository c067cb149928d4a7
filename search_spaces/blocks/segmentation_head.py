"""Dense prediction: the fused pyramid, a 3x3 convolution, a classifier of every pixel, resized to the image."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.layers import Layer
from search_spaces.prediction import Prediction
from search_spaces.pyramid import Fusion, Levels, backbone_levels, resize_layers, resized


@register_block("segmentation_head")
class SegmentationHead(nn.Module):
    """The levels of a pyramid -> logits (N, out_width, H, W), H x W of the image.

    The semantic branch of panoptic feature pyramids (Kirillov et al. 2019, arXiv 1901.02446), its levels added before
    the convolution instead of after it.
    """

    uses_size = True

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, levels: Levels, decoder_width: int = 32
    ) -> None:
        super().__init__()
        self.size = levels[0].size
        self.fusion = Fusion(levels, decoder_width)
        self.mix = ConvNormAct(decoder_width, decoder_width, 3, activation="relu")
        self.classifier = Prediction(decoder_width, out_width)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Return the logits."""
        return resized(self.classifier(self.mix(self.fusion(x))), self.size)

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, levels: Levels, decoder_width: int = 32
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        finest = backbone_levels(levels)[0].size
        return (
            *Fusion.layers(levels, decoder_width),
            *conv_layers(decoder_width, decoder_width, finest, 3, activation="relu"),
            Prediction.layer(decoder_width, out_width, finest),
            *resize_layers(out_width, finest, levels[0].size),
        )
