"""PEM's pixel decoder: a feature pyramid with context-based self-modulation and deformable convolutions.

From the coarsest level to the finest (Cavagnero et al. 2024, arXiv 2402.19422), x_l of level l is

    x_l = lateral_l + lateral_l * g(mean_HW(lateral_l)) + resized(x_(l+1)),

g an MLP with a sigmoid; the coarsest has no x_(l+1) and adds a linear map of its own mean instead. Every level but the
finest then passes a deformable convolution, BatchNorm and ReLU, and is one of the scales that queries look at; the
finest becomes the features of the masks. From the abstract and facts of the published code, with two differences:
levels are resized bilinearly where that learns transposed convolutions of stride 2, since the levels of a backbone lie
any factor apart; the maps of means have a bias and no BatchNorm, which would be over the images of a batch alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from search_spaces.blocks.channel_attention import SqueezeExcite, channel_attention_layers
from search_spaces.blocks.deformable_conv import DeformableConv
from search_spaces.conv import ConvNormAct, Size, conv_layers
from search_spaces.layers import Layer
from search_spaces.maps import plain_conv_layer
from search_spaces.pyramid import Lateral, Levels, as_map, backbone_levels, resize_layers, resized
from search_spaces.tokens import add_layer


def scale_levels(levels: Levels) -> Levels:
    """Return the levels that queries look at, from fine to coarse: all but the finest, or the one that there is."""
    found = backbone_levels(levels)
    return found[1:] or found


class DeformableNormAct(nn.Module):
    """Deformable convolution, BatchNorm, ReLU: (N, width, H, W) -> same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.deformable = DeformableConv(width, width)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        return torch.relu(self.norm(self.deformable(x)))

    @staticmethod
    def layers(width: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = width * size[0] * size[1]
        return (
            *DeformableConv.layers(width, width, size, held),
            Layer("batch_norm", 0, 2 * width, elements, elements, held=held),
            Layer("activation", 0, 0, elements, elements, held=held),
        )


class ModulatedPyramid(nn.Module):
    """The levels of a pyramid -> features (N, width, H, W) of the finest, maps of the scales from coarse to fine."""

    def __init__(self, levels: Levels, width: int) -> None:
        super().__init__()
        self.levels = backbone_levels(levels)
        self.lateral = Lateral(levels, width, "relu")
        self.modulate = nn.ModuleDict({level.name: SqueezeExcite(width, _hidden(width)) for level in self.levels})
        self.context = nn.Conv2d(self.levels[-1].width, width, 1)
        self.deform = nn.ModuleDict({level.name: DeformableNormAct(width) for level in scale_levels(levels)})
        self.out = ConvNormAct(width, width, 1, activation="relu")

    def forward(self, x: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return features and maps."""
        scales: list[Tensor] = []
        mean = as_map(x[-1], self.levels[-1]).mean((2, 3), keepdim=True)
        coarser = torch.relu(self.context(mean))
        for level, lateral in reversed(list(zip(self.levels, self.lateral(x), strict=True))):
            one = lateral + self.modulate[level.name](lateral)
            one = one + (resized(coarser, level.size) if level is not self.levels[-1] else coarser)
            if level.name in self.deform:
                one = self.deform[level.name](one)
                scales.append(one)
            coarser = one
        return self.out(coarser), scales

    @staticmethod
    def layers(levels: Levels, width: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        kept, deformed = backbone_levels(levels), scale_levels(levels)
        finest, coarsest = kept[0], kept[-1]
        given = coarsest.width * coarsest.size[0] * coarsest.size[1]
        found = [
            *Lateral.layers(levels, width, "relu"),
            Layer("mean", 0, 0, given, coarsest.width),
            plain_conv_layer(coarsest.width, width, (1, 1), 1),
            Layer("activation", 0, 0, width, width),
        ]
        waiting = sum(width * level.size[0] * level.size[1] for level in kept)
        previous: Size | None = None
        for level in reversed(kept):
            elements = width * level.size[0] * level.size[1]
            found += [*channel_attention_layers("se", width, _hidden(width), level.size, waiting), add_layer(elements)]
            if previous is not None:
                found += resize_layers(width, previous, level.size, waiting)
            found.append(add_layer(elements))
            if level in deformed:
                found += DeformableNormAct.layers(width, level.size, waiting)
            previous = level.size
        return (*found, *conv_layers(width, width, finest.size, 1, activation="relu", held=waiting))


def _hidden(width: int) -> int:
    return max(1, width // 2)
