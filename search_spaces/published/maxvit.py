"""Published MaxViTs (Tu et al. 2022): tiny to extra large, at 224, 384 and 512 pixels."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.maxvit import maxvit

# Widths of stem and first stage, and depths: google-research/maxvit.
SIZES = {
    "tiny": (64, 64, (2, 2, 5, 2)),
    "small": (64, 96, (2, 2, 5, 2)),
    "base": (64, 96, (2, 6, 14, 2)),
    "large": (128, 128, (2, 6, 14, 2)),
    "xlarge": (192, 192, (2, 6, 14, 2)),
}
HEAD_DIM = 32
# Windows and grids are as large as the last stage's map.
PIXELS_PER_WINDOW_CELL = 32


def sized(name: str, window: int, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the MaxViT of size ``name`` with windows of ``window`` cells."""
    stem_width, width, depths = SIZES[name]
    stages = [
        [{"expansion": 4.0, "heads": width * 2**index // HEAD_DIM, "mlp_ratio": 4.0, "window": window}] * depth
        for index, depth in enumerate(depths)
    ]
    return maxvit(resolution, num_classes, in_channels, width=width, stem_width=stem_width, stages=stages)


for _name in SIZES:
    for _side in (224, 384, 512):
        networks.register(f"maxvit_{_name}_tf_{_side}")(
            PublishedNetwork(
                "maxvit",
                (_side, _side),
                partial(sized, _name, _side // PIXELS_PER_WINDOW_CELL),
                "google-research/maxvit",
            )
        )
