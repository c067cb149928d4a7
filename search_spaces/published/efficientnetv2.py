"""EfficientNetV2's published sizes at their test resolution, under timm's names of the TensorFlow weights.

TensorFlow pads a strided convolution on one side, here both sides are padded: the same sizes and counts.
"""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.efficientnetv2 import efficientnetv2

# Suffix: base, width and depth multipliers, resolution.
SIZES: dict[str, tuple[str, float, float, int]] = {
    "b0": ("b0", 1.0, 1.0, 224),
    "b1": ("b0", 1.0, 1.1, 240),
    "b2": ("b0", 1.1, 1.2, 260),
    "b3": ("b0", 1.2, 1.4, 300),
    "s": ("s", 1.0, 1.0, 384),
    "m": ("m", 1.0, 1.0, 480),
    "l": ("l", 1.0, 1.0, 480),
    "xl": ("xl", 1.0, 1.0, 512),
}

for suffix, (base, width, depth, side) in SIZES.items():
    networks.register(f"tf_efficientnetv2_{suffix}")(
        PublishedNetwork(
            family="efficientnetv2",
            resolution=(side, side),
            blueprint=partial(efficientnetv2, base=base, width=width, depth=depth),
            source="Tan & Le 2021, table 4; google/automl, efficientnetv2/effnetv2_configs.py",
        )
    )
