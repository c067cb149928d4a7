"""HorNet's sizes (Rao et al. 2022, section 3.4): 7x7 convolutions, or global filters in the last two stages."""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.hornet import hornet

SOURCE = "arXiv 2207.14284, section 3.4; github.com/raoyongming/HorNet, hornet.py"
DEPTHS = (2, 3, 18, 2)
WIDTHS = {"tiny": 64, "small": 96, "base": 128, "large": 192}


def _register(name: str, width: int, filtered: bool, side: int) -> None:
    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        convolved = {"kernel": 7, "expansion": 4}
        stages = [
            [{"expansion": 4} if filtered and index >= 2 else convolved] * depth for index, depth in enumerate(DEPTHS)
        ]
        return hornet(resolution, in_channels, num_classes, width, stages)

    networks.register(name)(PublishedNetwork("hornet", (side, side), blueprint, SOURCE))


for _size, _width in WIDTHS.items():
    _register(f"hornet_{_size}_7x7", _width, filtered=False, side=224)
    _register(f"hornet_{_size}_gf", _width, filtered=True, side=224)
for _size in ("base", "large"):
    _register(f"hornet_{_size}_gf_img384", WIDTHS[_size], filtered=True, side=384)
