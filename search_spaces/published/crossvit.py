"""Published CrossViTs (Chen et al. 2021), the dagger variants (convolutional stem) included."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.crossvit import MultiScale, Patches, crossvit

# Width and heads of the large branch, its transformers in each of three blocks, MLP ratio: IBM/CrossViT.
SIZES = {
    "tiny": (192, 3, 4, 4.0),
    "small": (384, 6, 4, 4.0),
    "base": (768, 12, 4, 4.0),
    "9": (256, 4, 3, 3.0),
    "15": (384, 6, 5, 3.0),
    "18": (448, 7, 6, 3.0),
}
DAGGER = {"9": (240,), "15": (240, 408), "18": (240, 408)}


def sized(name: str, convolutional: bool, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the CrossViT of size ``name``."""
    width, heads, large_depth, ratio = SIZES[name]
    blocks = (MultiScale(large_depth, heads, ratio),) * 3
    patches = Patches(convolutional=convolutional)
    return crossvit(resolution, num_classes, in_channels, width=width, blocks=blocks, patches=patches)


for _name in SIZES:
    networks.register(f"crossvit_{_name}_240")(
        PublishedNetwork("crossvit", (240, 240), partial(sized, _name, False), "IBM/CrossViT")
    )
for _name, _sides in DAGGER.items():
    for _side in _sides:
        networks.register(f"crossvit_{_name}_dagger_{_side}")(
            PublishedNetwork("crossvit", (_side, _side), partial(sized, _name, True), "IBM/CrossViT")
        )
