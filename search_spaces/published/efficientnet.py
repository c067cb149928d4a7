"""EfficientNet B0 to B8 and L2, and its relatives: MnasNet, Single-Path NAS, FBNet-C."""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.efficientnet import efficientnet

# Suffix: width and depth multipliers, resolution (they do not follow the compound formula exactly).
SIZES: dict[str, tuple[float, float, int]] = {
    "b0": (1.0, 1.0, 224),
    "b1": (1.0, 1.1, 240),
    "b2": (1.1, 1.2, 260),
    "b3": (1.2, 1.4, 300),
    "b4": (1.4, 1.8, 380),
    "b5": (1.6, 2.2, 456),
    "b6": (1.8, 2.6, 528),
    "b7": (2.0, 3.1, 600),
    "b8": (2.2, 3.6, 672),
    "l2": (4.3, 5.3, 800),
}
# Name: base, width multiplier. The head keeps its width.
RELATIVES: dict[str, tuple[str, float]] = {
    "mnasnet_050": ("mnasnet_b1", 0.5),
    "mnasnet_075": ("mnasnet_b1", 0.75),
    "mnasnet_100": ("mnasnet_b1", 1.0),
    "mnasnet_140": ("mnasnet_b1", 1.4),
    "mnasnet_small": ("mnasnet_small", 1.0),
    "semnasnet_050": ("mnasnet_a1", 0.5),
    "semnasnet_075": ("mnasnet_a1", 0.75),
    "semnasnet_100": ("mnasnet_a1", 1.0),
    "semnasnet_140": ("mnasnet_a1", 1.4),
    "spnasnet_100": ("spnasnet", 1.0),
    "fbnetc_100": ("fbnetc", 1.0),
}

for suffix, (width, depth, side) in SIZES.items():
    networks.register(f"efficientnet_{suffix}")(
        PublishedNetwork(
            family="efficientnet",
            resolution=(side, side),
            blueprint=partial(efficientnet, width=width, depth=depth),
            source="Tan & Le 2019; tensorflow/tpu, models/official/efficientnet/efficientnet_builder.py",
        )
    )
for name, (base, width) in RELATIVES.items():
    networks.register(name)(
        PublishedNetwork(
            family="efficientnet",
            resolution=(224, 224),
            blueprint=partial(efficientnet, base=base, width=width, scale_head=False),
            source="Tan et al. 2019 (MnasNet), Stamoulis et al. 2019 (Single-Path NAS), Wu et al. 2019 (FBNet); timm",
        )
    )
