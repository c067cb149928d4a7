"""Inception-ResNet-v2 and Inception-v4 (Szegedy et al. 2017)."""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.inception import RESNET_V2, V4, inception_resnet, inception_v4

SOURCE = "Szegedy et al. 2017 (arXiv 1602.07261); tensorflow/models, research/slim"


def _resnet_v2(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    return inception_resnet(RESNET_V2, resolution=resolution, num_classes=num_classes, in_channels=in_channels)


def _v4(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    return inception_v4(V4, resolution=resolution, num_classes=num_classes, in_channels=in_channels)


networks.register("inception_resnet_v2")(PublishedNetwork("inception", (299, 299), _resnet_v2, SOURCE))
networks.register("inception_v4")(PublishedNetwork("inception", (299, 299), _v4, SOURCE))
