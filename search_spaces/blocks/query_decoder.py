"""PEM's transformer decoder: learned queries gather prototypes at every scale and become classes and masks.

Cavagnero et al. 2024 (arXiv 2402.19422); around the attention as Mask2Former (Cheng et al. 2022, arXiv 2112.01527).
Pixels carry sine positions; those of a channel do not depend on how many channels there are. A learned position of each
query is added where it looks for its prototypes. An embedding of the scale, which the published code adds to pixels,
would be taken away again by the BatchNorm that follows it, and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import pi

import torch
from torch import Tensor, nn

from search_spaces.blocks.modulated_pyramid import scale_levels
from search_spaces.blocks.prototype_attention import HEAD_DIM, PrototypeAttention, num_heads
from search_spaces.channels import ChannelGroup, head_group
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.pyramid import Levels, backbone_levels, resize_layers, resized
from search_spaces.tokens import PreNorm, SelfAttention, add_layer, layer_norm_layer, linear_layer

MLP_RATIO = 4
MASK_LAYERS = 3
PERIOD_RATIO = 10000 ** (1 / 64)
"""Of one four of channels to that before; the published 256 channels reach 10000."""


def sine_positions(size: Size, width: int, like: Tensor) -> Tensor:
    """Return (width, H, W): sine and cosine of row and column, in fours of channels of ever longer periods.

    The first period is the side of the map (Carion et al. 2020, normalised), the others PERIOD_RATIO times that before.
    """
    fours = torch.arange(-(-width // 4), device=like.device, dtype=like.dtype)
    turns = [2 * pi * (torch.arange(side, device=like.device, dtype=like.dtype) + 1) / side for side in size]
    rows, columns = (turn[None] / PERIOD_RATIO ** fours[:, None] for turn in turns)
    parts = [
        part.expand(-1, *size)
        for part in (rows.sin()[..., None], rows.cos()[..., None], columns.sin()[:, None], columns.cos()[:, None])
    ]
    return torch.stack(parts, 1).flatten(0, 1)[:width]


class Scale(nn.Module):
    """What queries pass at one scale: prototype attention, then self-attention and MLP, each with a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cross = PrototypeAttention(width)
        self.mix = PreNorm(SelfAttention(width, num_heads(width), HEAD_DIM), width, MLP_RATIO * width)

    def forward(self, queries: Tensor, positions: Tensor, pixels: Tensor, visible: Tensor) -> Tensor:
        """Return the queries (N, Q, width)."""
        placed = pixels + sine_positions((pixels.shape[2], pixels.shape[3]), pixels.shape[1], pixels)
        out: Tensor = self.mix(queries + self.cross(queries + positions, placed, visible))
        return out

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the heads of the self-attention."""
        return (head_group("mix.attention"),)

    @staticmethod
    def layers(width: int, queries: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = width * queries
        around = SelfAttention.layers(width, num_heads(width), HEAD_DIM, queries, held=held + elements)
        return (
            add_layer(width * size[0] * size[1]),
            add_layer(elements),
            *PrototypeAttention.layers(width, queries, size, held + elements),
            add_layer(elements),
            *PreNorm.layers_around(around, width, MLP_RATIO * width, queries),
        )


class FanInLinear(nn.Linear):
    """A linear map that keeps the variance of its input: masks and classes of queries differ from the first step on."""

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill the weight: normal, variance 1 / fan-in; the bias with zeros."""
        tensor.zero_() if name == "bias" else tensor.normal_(std=tensor.shape[1] ** -0.5)


class MaskEmbedding(nn.ModuleList):
    """Three linear maps with ReLU between them, on the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__(FanInLinear(width, width) for _ in range(MASK_LAYERS))

    def forward(self, x: Tensor) -> Tensor:
        """Return what is multiplied with the features of pixels."""
        for number, linear in enumerate(self):
            x = linear(torch.relu(x) if number else x)
        return x


class QueryDecoder(nn.Module):
    """Features (N, width, H, W) and maps of the scales -> class probabilities (N, Q, classes), masks (N, Q, H x W)."""

    def __init__(self, levels: Levels, queries: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.names = [level.name for level in reversed(scale_levels(levels))]
        self.queries = nn.Parameter(torch.empty(queries, width))
        self.positions = nn.Parameter(torch.empty(queries, width))
        self.scale = nn.ModuleDict({name: Scale(width) for name in self.names})
        self.norm = nn.LayerNorm(width)
        self.mask = MaskEmbedding(width)
        self.classes = FanInLinear(width, num_classes + 1)

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill queries or their positions with standard normal numbers."""
        tensor.normal_()

    def forward(self, features: Tensor, scales: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return classes, without that of no object, and masks."""
        queries = self.queries.expand(features.shape[0], -1, -1)
        for name, pixels in zip(self.names, scales, strict=True):
            visible = self.visible(queries, resized(features, (pixels.shape[2], pixels.shape[3])))
            queries = self.scale[name](queries, self.positions, pixels, visible)
        normed = self.norm(queries)
        return self.classes(normed).softmax(-1)[..., :-1], self.mask_logits(normed, features).sigmoid()

    def visible(self, queries: Tensor, features: Tensor) -> Tensor:
        """Return where each query may look, (N, Q, H x W): inside its mask, or everywhere if that is empty.

        Resizing is linear, so that masks of resized features are resized masks.
        """
        inside = self.mask_logits(self.norm(queries), features) >= 0
        return inside | ~inside.any(-1, keepdim=True)

    def mask_logits(self, normed: Tensor, features: Tensor) -> Tensor:
        """Return the products of queries and pixels, (N, Q, H x W)."""
        found: Tensor = self.mask(normed) @ features.flatten(2)
        return found

    @staticmethod
    def layers(levels: Levels, queries: int, width: int, num_classes: int) -> tuple[Layer, ...]:
        """Return what one image costs; norm and MLP of the masks run at each scale and have their weights once."""
        finest = backbone_levels(levels)[0].size
        held = width * finest[0] * finest[1]
        found = [Layer("copy", 0, 2 * queries * width, 0, queries * width, held=held)]
        for level in reversed(scale_levels(levels)):
            found += resize_layers(width, finest, level.size, held)
            found += [replace(layer, params=0) for layer in _mask_layers(width, queries, level.size, held)]
            found += Scale.layers(width, queries, level.size, held)
        classes = num_classes + 1
        return (
            *found,
            *_mask_layers(width, queries, finest, held),
            linear_layer(width, classes, queries, held),
            Layer("activation", 0, 0, queries * classes, queries * classes, held=held),
        )


def _mask_layers(width: int, queries: int, size: Size, held: int) -> tuple[Layer, ...]:
    elements, cells = width * queries, size[0] * size[1]
    linear, relu = linear_layer(width, width, queries, held), Layer("activation", 0, 0, elements, elements, held=held)
    product = Layer("attention", elements * cells, 0, elements + width * cells, queries * cells, held=held)
    return (
        layer_norm_layer(width, queries, held),
        *(linear, relu, linear, relu, linear, product),
        Layer("activation", 0, 0, queries * cells, queries * cells, held=held),
    )
