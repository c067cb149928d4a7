"""MobileNetV3's head: 1x1 expansion, global mean, 1x1 feature mix, classifier (Howard et al. 2019).

MobileNetV3 has a bias in the feature mix, Once-for-All and AttentiveNAS have none. ``adaptive_pool`` takes the mean by
adaptive pooling: the same numbers, but fvcore counts one an input element.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, Size, activation_module, conv_layers
from search_spaces.layers import Layer


@register_block("mobile_head")
class MobileHead(nn.Module):
    """(N, in_width, H, W) -> logits (N, out_width). The feature mix has no norm."""

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expand_width: int,
        mix_width: int,
        activation: str = "hard_swish",
        mix_bias: bool = False,
        adaptive_pool: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.expand = ConvNormAct(in_width, expand_width, 1, activation=activation)
        self.pool = nn.AdaptiveAvgPool2d(1) if adaptive_pool else None
        self.mix = nn.Conv2d(expand_width, mix_width, 1, bias=mix_bias)
        self.activation = activation_module(activation)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(mix_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.expand(x)
        x = self.pool(x) if self.pool else x.mean((2, 3), keepdim=True)
        x = self.activation(self.mix(x)).flatten(1)
        logits: Tensor = self.classifier(self.dropout(x))
        return logits

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expand_width: int,
        mix_width: int,
        activation: str = "hard_swish",
        mix_bias: bool = False,
        adaptive_pool: bool = False,
        dropout: float = 0.0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        mixed, bias = expand_width * mix_width, mix_width * mix_bias
        return (
            *conv_layers(in_width, expand_width, in_size, 1, activation=activation),
            Layer("pool" if adaptive_pool else "mean", 0, 0, expand_width * in_size[0] * in_size[1], expand_width),
            Layer("conv", mixed, mixed + bias, expand_width, mix_width, bias),
            Layer("activation", 0, 0, mix_width, mix_width),
            Layer("linear", mix_width * out_width, (mix_width + 1) * out_width, mix_width, out_width, out_width),
        )
