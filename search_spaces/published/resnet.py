"""ResNet and its descendants: He et al. 2016 and 2019, Xie et al. 2017, Wang et al. 2020, Bello et al. 2021.

The plain ResNets and ResNeXts state the width of their groups, as pycls does; see ``ResidualDesign``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.resnet import (
    BASIC,
    BASIC_D,
    BOTTLENECK,
    ECA_RESNET_D,
    RESNET_D,
    RESNETRS,
    RESNEXT,
    ResidualDesign,
    residual_network,
)

Depths = tuple[int, int, int, int]

D18, D34, D101, D152, D200 = (2, 2, 2, 2), (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3), (3, 24, 36, 3)
GROUPED = replace(BOTTLENECK, group_widths=(64, 128, 256, 512))
RESNEXT_64X4D = replace(RESNEXT, bottlenecks=(1.0,) * 4)
RESNEXT_32X8D = replace(RESNEXT_64X4D, group_widths=(8, 16, 32, 64))

RESNET = "arXiv 1512.03385, table 1"
RESNEXT_PAPER = "arXiv 1611.05431, table 1"
RESNET_D_PAPER = "arXiv 1812.01187, section 4"
TIMM = "huggingface/pytorch-image-models, timm/models/resnet.py"
RESNETRS_PAPER = "arXiv 2103.07579, table of ResNet-RS; tensorflow/tpu, resnet_rs"

NETWORKS: dict[str, tuple[ResidualDesign, Depths, int, str]] = {
    "resnet18": (BASIC, D18, 224, RESNET),
    "resnet34": (BASIC, D34, 224, RESNET),
    "resnet26": (GROUPED, D18, 224, TIMM),
    "resnet50": (GROUPED, D34, 224, RESNET),
    "resnet101": (GROUPED, D101, 224, RESNET),
    "resnet152": (GROUPED, D152, 224, RESNET),
    "resnet200": (GROUPED, D200, 224, TIMM),
    "resnet18d": (BASIC_D, D18, 224, TIMM),
    "resnet34d": (BASIC_D, D34, 224, TIMM),
    "resnet26d": (RESNET_D, D18, 224, TIMM),
    "resnet50d": (RESNET_D, D34, 224, RESNET_D_PAPER),
    "resnet101d": (RESNET_D, D101, 224, RESNET_D_PAPER),
    "resnet152d": (RESNET_D, D152, 224, RESNET_D_PAPER),
    "resnet200d": (RESNET_D, D200, 256, TIMM),
    "resnext50_32x4d": (RESNEXT, D34, 224, RESNEXT_PAPER),
    "resnext101_32x4d": (RESNEXT, D101, 224, RESNEXT_PAPER),
    "resnext152_32x4d": (RESNEXT, D152, 224, "facebookresearch/pycls, ResNeXt-152"),
    "resnext101_32x8d": (RESNEXT_32X8D, D101, 224, TIMM),
    "resnext101_64x4d": (RESNEXT_64X4D, D101, 224, RESNEXT_PAPER),
    "ecaresnet50d": (ECA_RESNET_D, D34, 224, TIMM),
    "ecaresnet101d": (ECA_RESNET_D, D101, 224, TIMM),
    "ecaresnet200d": (ECA_RESNET_D, D200, 256, TIMM),
    "ecaresnet269d": (ECA_RESNET_D, (3, 30, 48, 8), 320, TIMM),
    "resnetrs50": (RESNETRS, D34, 160, RESNETRS_PAPER),
    "resnetrs101": (RESNETRS, D101, 192, RESNETRS_PAPER),
    "resnetrs152": (RESNETRS, D152, 256, RESNETRS_PAPER),
    "resnetrs200": (RESNETRS, D200, 256, RESNETRS_PAPER),
    "resnetrs270": (RESNETRS, (4, 29, 53, 4), 256, RESNETRS_PAPER),
    "resnetrs350": (RESNETRS, (4, 36, 72, 4), 288, RESNETRS_PAPER),
    "resnetrs420": (RESNETRS, (4, 44, 87, 4), 320, RESNETRS_PAPER),
}


for _name, (_design, _depths, _side, _source) in NETWORKS.items():
    networks.register(_name)(
        PublishedNetwork("resnet", (_side, _side), partial(residual_network, _design, _depths), _source)
    )
