"""Published CrossFormers (Wang et al. 2022): tiny, small, base and large."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.crossformer import CROSSFORMER
from search_spaces.windowed import equal_blocks, windowed

# Width of the first stage and depths: cheerss/CrossFormer, configs.
SIZES = {
    "tiny": (64, (1, 1, 8, 6)),
    "small": (96, (2, 2, 6, 2)),
    "base": (96, (2, 2, 18, 2)),
    "large": (128, (2, 2, 18, 2)),
}


def sized(name: str, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the CrossFormer of size ``name``."""
    width, depths = SIZES[name]
    stages = equal_blocks(width, depths)
    return windowed(CROSSFORMER, resolution, num_classes, in_channels, width=width, stages=stages)


for _name in SIZES:
    networks.register(f"crossformer_{_name}")(
        PublishedNetwork("crossformer", (224, 224), partial(sized, _name), "cheerss/CrossFormer")
    )
