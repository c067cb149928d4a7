"""Published Swin transformers (Liu et al. 2021): tiny, small, base and large, at 224 and 384 pixels."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.swin import SWIN
from search_spaces.windowed import equal_blocks, windowed

# Width of the first stage and depths: microsoft/Swin-Transformer, configs/swin.
SIZES = {
    "tiny": (96, (2, 2, 6, 2)),
    "small": (96, (2, 2, 18, 2)),
    "base": (128, (2, 2, 18, 2)),
    "large": (192, (2, 2, 18, 2)),
}
FORMS = {
    "tiny": ((7, 224),),
    "small": ((7, 224),),
    "base": ((7, 224), (12, 384)),
    "large": ((7, 224), (12, 384)),
}


def sized(name: str, window: int, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the Swin transformer of size ``name``."""
    width, depths = SIZES[name]
    stages = equal_blocks(width, depths, window)
    return windowed(SWIN, resolution, num_classes, in_channels, width=width, stages=stages)


for _name, _forms in FORMS.items():
    for _window, _side in _forms:
        networks.register(f"swin_{_name}_patch4_window{_window}_{_side}")(
            PublishedNetwork("swin", (_side, _side), partial(sized, _name, _window), "microsoft/Swin-Transformer")
        )
