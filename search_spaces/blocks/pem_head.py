"""Segmentation by queries that each find prototypes: Prototype-based Efficient MaskFormer (PEM).

Cavagnero et al. 2024 (arXiv 2402.19422): a pixel decoder (``modulated_pyramid``), and learned queries
(``query_decoder``) which at every scale, coarse to fine, pass prototype attention, self-attention and an MLP, all with
residuals. Each query is a class (softmax over the classes and "no object") and a mask (sigmoid of the product of an MLP
of the query with the features of each pixel); before each scale its mask so far says where it may look, or everywhere
if it is empty.

A pixel's scores are the paper's for semantic segmentation: the sum over queries of class probability times mask. The
logits are their logarithms: the largest stays the largest, and the softmax of the task's cross entropy is the scores
divided by their sum. (The paper matches queries to segments for losses of its own, on outputs after every scale; a
network here has one output.) The paper's network has widths of 128 and 256 in its two parts, two rounds over three
scales and MLPs of 8 times the width; here it is one width, one round and 4 times.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.modulated_pyramid import ModulatedPyramid
from search_spaces.blocks.query_decoder import QueryDecoder
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.pyramid import Levels, backbone_levels, resize_layers, resized

LEAST_SCORE = 1e-3
"""Added to each score, so that its logarithm stays finite and keeps its digits in float32."""


@register_block("pem_head")
class PemHead(nn.Module):
    """The levels of a pyramid -> logits (N, out_width, H, W), H x W of the image.

    Args:
        in_width, in_size: of the last map.
        out_width: classes.
        levels: of the pyramid.
        queries: masks that a network can give; the paper's 100.
        decoder_width: channels of the pyramid's maps, the queries and the features of masks.

    Raises:
        UsageError: no queries, or no channels.
    """

    uses_size = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        levels: Levels,
        queries: int = 16,
        decoder_width: int = 32,
    ) -> None:
        super().__init__()
        _check(queries, decoder_width)
        self.size = levels[0].size
        self.pixels = ModulatedPyramid(levels, decoder_width)
        self.decoder = QueryDecoder(levels, queries, decoder_width, out_width)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Return the logits."""
        features, scales = self.pixels(x)
        classes, masks = self.decoder(features, scales)
        scores = classes.transpose(1, 2) @ masks
        logits = (scores + LEAST_SCORE).log()
        return resized(logits.unflatten(2, features.shape[2:]), self.size)

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        levels: Levels,
        queries: int = 16,
        decoder_width: int = 32,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(queries, decoder_width)
        finest = backbone_levels(levels)[0].size
        cells = finest[0] * finest[1]
        scores, masks = out_width * cells, queries * cells
        return (
            *ModulatedPyramid.layers(levels, decoder_width),
            *QueryDecoder.layers(levels, queries, decoder_width, out_width),
            Layer("attention", queries * scores, 0, masks + queries * out_width, scores),
            Layer("activation", 0, 0, scores, scores),
            *resize_layers(out_width, finest, levels[0].size),
        )


def _check(queries: int, decoder_width: int) -> None:
    for name, value in (("queries", queries), ("decoder_width", decoder_width)):
        if type(value) is not int or value < 1:
            raise UsageError(f"a pem_head got {name} {value!r}: allowed: 1, 2, 3, ...")
