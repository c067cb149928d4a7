"""ConvNeXt's sizes (Liu et al. 2022, section 3), at 224 pixels."""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.convnext import convnext

SOURCE = "arXiv 2201.03545, section 3; XLarge: table 1"

# Width of the first stage, blocks of each stage.
SIZES = {
    "convnext_tiny": (96, (3, 3, 9, 3)),
    "convnext_small": (96, (3, 3, 27, 3)),
    "convnext_base": (128, (3, 3, 27, 3)),
    "convnext_large": (192, (3, 3, 27, 3)),
    "convnext_xlarge": (256, (3, 3, 27, 3)),
}


def _register(name: str) -> None:
    width, depths = SIZES[name]

    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        stages = [[{"kernel": 7, "expansion": 4}] * depth for depth in depths]
        return convnext(resolution, in_channels, num_classes, width, stages)

    networks.register(name)(PublishedNetwork("convnext", (224, 224), blueprint, SOURCE))


for _name in SIZES:
    _register(_name)
