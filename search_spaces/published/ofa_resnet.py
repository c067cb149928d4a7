"""Once-for-All ResNet50-D: the plain network that the space grows from, and the ends of the space.

The specialised networks (4.1 to 0.6 billion MACs) are known by name and rounded counts only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from search_spaces.blueprint import Block, Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.ofa_resnet import FORMS, ofa_resnet

FORM = FORMS["imagenet"]


@dataclass(frozen=True)
class Uniform:
    """A network of one width multiplier and one expansion: the choice of each width, depths, expansion, stem."""

    width: int
    depths: tuple[int, ...]
    expansion: float
    middle: bool


def uniform(resolution: Resolution, num_classes: int, in_channels: int, chosen: Uniform) -> Blueprint:
    """Return the network of ``chosen``."""
    stem = Block.of("residual_stem", inner_width=FORM.stem_inner_widths[chosen.width], stride=4, middle=chosen.middle)
    widths = [choices[chosen.width] for choices in (FORM.stem_widths, *FORM.widths)]
    expansions = [[chosen.expansion] * depth for depth in chosen.depths]
    return ofa_resnet(resolution, num_classes, in_channels, stem, widths, expansions, FORM.strides)


# Name: network and resolution.
NETWORKS = {
    "ofa_resnet50d": (Uniform(-1, (3, 4, 6, 3), 0.25, True), 224),
    "ofa_resnet50d_max": (Uniform(-1, (4, 4, 6, 4), 0.35, True), 224),
    "ofa_resnet50d_min": (Uniform(0, (2, 2, 4, 2), 0.2, False), 128),
}

for name, (chosen, side) in NETWORKS.items():
    networks.register(name)(
        PublishedNetwork(
            family="ofa_resnet",
            resolution=(side, side),
            blueprint=partial(uniform, chosen=chosen),
            source="Cai et al. 2020; mit-han-lab/once-for-all, networks/resnets.py and ofa_resnets.py",
        )
    )
