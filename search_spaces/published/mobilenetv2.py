"""MobileNetV2's published sizes; the two deepened ones (110d, 120d) are timm's."""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.mobilenetv2 import mobilenetv2

# Name: width and depth multipliers, and whether the ends stay as they are.
SIZES: dict[str, tuple[float, float, bool]] = {
    "mobilenetv2_035": (0.35, 1.0, False),
    "mobilenetv2_050": (0.5, 1.0, False),
    "mobilenetv2_075": (0.75, 1.0, False),
    "mobilenetv2_100": (1.0, 1.0, False),
    "mobilenetv2_110d": (1.1, 1.2, True),
    "mobilenetv2_120d": (1.2, 1.4, True),
    "mobilenetv2_140": (1.4, 1.0, False),
}

for name, (width, depth, fixed_ends) in SIZES.items():
    networks.register(name)(
        PublishedNetwork(
            family="mobilenetv2",
            resolution=(224, 224),
            blueprint=partial(mobilenetv2, width=width, depth=depth, fixed_ends=fixed_ends),
            source="Sandler et al. 2018, table 2 and section 6.1; timm, mobilenetv2_*",
        )
    )
