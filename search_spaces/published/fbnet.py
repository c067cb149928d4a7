"""FBNet-A, -B and -C (Wu et al. 2019, figure 4), as Meta's mobile-vision builds them."""

from __future__ import annotations

from dataclasses import replace

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.fbnet import FORMS, fbnet

CHOICES = {
    "fbnet_a": (
        "skip",
        "k3_e3 k3_e1 skip skip",
        "k5_e6 k3_e3 k5_e1 k3_e3",
        "k5_e6 k5_e3 k5_e1_g2 k5_e6",
        "k3_e6 k5_e1_g2 k5_e1 k3_e1_g2",
        "k5_e6 k5_e6 k5_e3 k5_e6",
        "k5_e6",
    ),
    "fbnet_b": (
        "k3_e1",
        "k3_e6 k5_e1 k3_e1 k3_e1",
        "k5_e6 k5_e3 k3_e6 k5_e6",
        "k5_e6 k5_e1 skip k5_e3",
        "k5_e6 k3_e1 k5_e1 k5_e3",
        "k5_e6 k5_e1 k5_e6 k5_e6",
        "k3_e6",
    ),
    "fbnet_c": (
        "k3_e1",
        "k3_e6 skip k3_e1 k3_e1",
        "k5_e6 k5_e3 k5_e6 k3_e6",
        "k5_e6 k5_e3 k5_e6 k5_e6",
        "k5_e6 k5_e6 k5_e6 k5_e3",
        "k5_e6 k5_e6 k5_e6 k5_e6",
        "k3_e6",
    ),
}
HEAD_WIDTHS = {"fbnet_a": 1504, "fbnet_b": 1984, "fbnet_c": 1984}


def _register(name: str) -> None:
    form = replace(FORMS["imagenet"], head_width=HEAD_WIDTHS[name])
    choices = " ".join(CHOICES[name]).split()

    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        return fbnet(form, choices, resolution=resolution, num_classes=num_classes, in_channels=in_channels)

    source = "Wu et al. 2019 (arXiv 1812.03443); facebookresearch/mobile-vision, fbnet_modeldef"
    networks.register(name)(PublishedNetwork("fbnet", (224, 224), blueprint, source))


for _name in CHOICES:
    _register(_name)
