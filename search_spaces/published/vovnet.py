"""VoVNet (Lee et al. 2019) and VoVNetV2 (Lee and Park 2020)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.vovnet import ESE_VOVNET, VOVNET, VoVNetDesign, vovnet

VOVNET_PAPER = "arXiv 1904.09730, table 2; timm/models/vovnet.py"
VOVNETV2_PAPER = "arXiv 1911.06667; youngwanLEE/vovnet-detectron2; timm/models/vovnet.py"

SHALLOW = replace(ESE_VOVNET, num_layers=(3, 3, 3, 3))
SLIM = replace(SHALLOW, mid_widths=(64, 80, 96, 112), widths=(112, 256, 384, 512))

NETWORKS: dict[str, tuple[VoVNetDesign, tuple[int, int, int, int], str]] = {
    "vovnet39a": (VOVNET, (1, 1, 2, 2), VOVNET_PAPER),
    "vovnet57a": (VOVNET, (1, 1, 4, 3), VOVNET_PAPER),
    "ese_vovnet19b_slim_dw": (replace(SLIM, separable=True, stem_widths=(64, 64)), (1, 1, 1, 1), VOVNETV2_PAPER),
    "ese_vovnet19b_dw": (replace(SHALLOW, separable=True, stem_widths=(64, 64)), (1, 1, 1, 1), VOVNETV2_PAPER),
    "ese_vovnet19b_slim": (SLIM, (1, 1, 1, 1), VOVNETV2_PAPER),
    "ese_vovnet19b": (SHALLOW, (1, 1, 1, 1), VOVNETV2_PAPER),
    "ese_vovnet39b": (ESE_VOVNET, (1, 1, 2, 2), VOVNETV2_PAPER),
    "ese_vovnet57b": (ESE_VOVNET, (1, 1, 4, 3), VOVNETV2_PAPER),
    "ese_vovnet99b": (ESE_VOVNET, (1, 3, 9, 3), VOVNETV2_PAPER),
    "eca_vovnet39b": (replace(ESE_VOVNET, attentions=("eca",) * 4), (1, 1, 2, 2), VOVNETV2_PAPER),
}

for _name, (_design, _depths, _source) in NETWORKS.items():
    networks.register(_name)(PublishedNetwork("vovnet", (224, 224), partial(vovnet, _design, _depths), _source))
