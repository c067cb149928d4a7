"""MobileNetV3's published sizes: large and small, their multipliers, and the "minimalistic" ones."""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.mobilenetv3 import mobilenetv3

# Name: variant, width multiplier, minimalistic.
SIZES: dict[str, tuple[str, float, bool]] = {
    "mobilenetv3_large_075": ("large", 0.75, False),
    "mobilenetv3_large_100": ("large", 1.0, False),
    "mobilenetv3_small_050": ("small", 0.5, False),
    "mobilenetv3_small_075": ("small", 0.75, False),
    "mobilenetv3_small_100": ("small", 1.0, False),
    "tf_mobilenetv3_large_minimal_100": ("large", 1.0, True),
    "tf_mobilenetv3_small_minimal_100": ("small", 1.0, True),
}

for name, (variant, width, minimalistic) in SIZES.items():
    networks.register(name)(
        PublishedNetwork(
            family="mobilenetv3",
            resolution=(224, 224),
            blueprint=partial(mobilenetv3, variant=variant, width=width, minimalistic=minimalistic),
            source="Howard et al. 2019, tables 1 and 2; tensorflow/models, slim/nets/mobilenet; timm, mobilenetv3_*",
        )
    )
