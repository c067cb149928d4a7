"""NASNet-A (Zoph et al. 2018) and PNASNet-5 (Liu et al. 2018), as tensorflow/models (research/slim) builds them."""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.nasnet import (
    NASNET_CIFAR,
    NASNET_LARGE,
    NASNET_MOBILE,
    PNASNET_LARGE,
    PNASNET_MOBILE,
    Sizes,
    nasnet,
)

NASNET_SOURCE = "Zoph et al. 2018 (arXiv 1707.07012); tensorflow/models, research/slim/nets/nasnet"
PNASNET_SOURCE = "Liu et al. 2018 (arXiv 1712.00559); tensorflow/models, research/slim/nets/nasnet"

NETWORKS = {
    "nasnetalarge": (NASNET_LARGE, 331, 1000, NASNET_SOURCE),
    "nasnetamobile": (NASNET_MOBILE, 224, 1000, NASNET_SOURCE),
    "nasnetacifar": (NASNET_CIFAR, 32, 10, NASNET_SOURCE),
    "pnasnet5large": (PNASNET_LARGE, 331, 1000, PNASNET_SOURCE),
    "pnasnet5mobile": (PNASNET_MOBILE, 224, 1000, PNASNET_SOURCE),
}


def _register(name: str, sizes: Sizes, side: int, num_classes: int, source: str) -> None:
    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        return nasnet(sizes, resolution=resolution, num_classes=num_classes, in_channels=in_channels)

    networks.register(name)(PublishedNetwork("nasnet", (side, side), blueprint, source, num_classes))


for _name, _values in NETWORKS.items():
    _register(_name, *_values)
