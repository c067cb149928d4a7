"""LSNet's sizes (Wang et al. 2025, table 1), at 224 pixels."""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.lsnet import lsnet

SOURCE = "arXiv 2503.23135, table 1; github.com/THU-MIG/lsnet, model/lsnet.py"

# Widths and blocks of the stages.
SIZES = {
    "lsnet_t": ((64, 128, 256, 384), (0, 2, 8, 10)),
    "lsnet_s": ((96, 192, 320, 448), (1, 2, 8, 10)),
    "lsnet_b": ((128, 256, 384, 512), (4, 6, 8, 10)),
}


def _values(last: bool, number: int) -> dict[str, int]:
    """Return the choices of a block: a large kernel where it is an lsconv."""
    return {"expansion": 2} if last or number % 2 == 0 else {"kernel": 7, "expansion": 2}


def _register(name: str) -> None:
    widths, depths = SIZES[name]

    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        last = len(depths) - 1
        stages = [[_values(stage == last, number) for number in range(depth)] for stage, depth in enumerate(depths)]
        return lsnet(resolution, in_channels, num_classes, widths, stages)

    networks.register(name)(PublishedNetwork("lsnet", (224, 224), blueprint, SOURCE))


for _name in SIZES:
    _register(_name)
