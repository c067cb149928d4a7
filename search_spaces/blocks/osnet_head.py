"""OSNet's head (Zhou et al. 2019): 1x1 convolution, global average pooling, a feature vector, and its classifier.

The feature vector, relu(batch_norm(W mean(x) + b)), is what re-identification compares; with ``feature_width`` 0 it is
the output, and the block's width is its length.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.layers import Layer


@register_block("osnet_head")
class OsnetHead(nn.Module):
    """(N, in_width, H, W) -> (N, out_width): logits, or features where ``feature_width`` is 0."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, feature_width: int = 512) -> None:
        super().__init__()
        features = feature_width or out_width
        self.conv = ConvNormAct(in_width, in_width, 1, activation="relu")
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.features = nn.Linear(in_width, features)
        self.norm = nn.BatchNorm1d(features)
        self.classifier = nn.Linear(features, out_width) if feature_width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits or the features."""
        pooled = self.pool(self.conv(x)).flatten(1)
        out: Tensor = self.classifier(nn.functional.relu(self.norm(self.features(pooled))))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, feature_width: int = 512) -> tuple[Layer, ...]:
        """Return what one image costs."""
        features = feature_width or out_width
        found = (
            *conv_layers(in_width, in_width, in_size, 1, activation="relu"),
            Layer("pool", 0, 0, in_width * in_size[0] * in_size[1], in_width),
            Layer("linear", in_width * features, (in_width + 1) * features, in_width, features, features),
            Layer("batch_norm", 0, 2 * features, features, features),
            Layer("activation", 0, 0, features, features),
        )
        if not feature_width:
            return found
        weight = features * out_width
        return (*found, Layer("linear", weight, weight + out_width, features, out_width, out_width))
