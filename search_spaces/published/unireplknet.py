"""UniRepLKNet's sizes (Ding et al. 2024, table 4), each in the form that trains and, ``_deploy``, merged."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.unireplknet import unireplknet

SOURCE = "arXiv 2311.15599, table 4; github.com/AILab-CVC/UniRepLKNet, unireplknet.py"

# Width of the first stage, blocks of each stage, kernels of the third stage, which repeat.
SIZES = {
    "unireplknet_a": (40, (2, 2, 6, 2), (13,)),
    "unireplknet_f": (48, (2, 2, 6, 2), (13,)),
    "unireplknet_p": (64, (2, 2, 6, 2), (13,)),
    "unireplknet_n": (80, (2, 2, 8, 2), (13,)),
    "unireplknet_t": (80, (3, 3, 18, 3), (13, 3)),
    "unireplknet_s": (96, (3, 3, 27, 3), (13, 3, 3)),
    "unireplknet_b": (128, (3, 3, 27, 3), (13, 3, 3)),
    "unireplknet_l": (192, (3, 3, 27, 3), (13, 3, 3)),
    "unireplknet_xl": (256, (3, 3, 27, 3), (13, 3, 3)),
}


def _stages(depths: tuple[int, ...], pattern: tuple[int, ...]) -> list[list[Mapping[str, int]]]:
    cycles = ((3,), (13,), pattern, (13,))
    return [
        [{"kernel": cycle[number % len(cycle)], "expansion": 4} for number in range(depth)]
        for depth, cycle in zip(depths, cycles, strict=True)
    ]


def _register(name: str, merged: bool) -> None:
    width, depths, pattern = SIZES[name]

    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        return unireplknet(resolution, in_channels, num_classes, width, _stages(depths, pattern), merged=merged)

    found = PublishedNetwork("unireplknet", (224, 224), blueprint, SOURCE)
    networks.register(f"{name}_deploy" if merged else name)(found)


for _name in SIZES:
    _register(_name, merged=False)
    _register(_name, merged=True)
