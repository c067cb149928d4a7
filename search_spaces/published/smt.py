"""SMT's sizes (Lin et al. 2023, section 3.5), at 224 pixels."""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.smt import smt

SOURCE = "arXiv 2307.08579, section 3.5; github.com/AFeng-x/SMT, models/smt.py"

# Width of the first stage, blocks and expansions of the stages, kernel of the stem.
SIZES = {
    "smt_t": (64, (2, 2, 8, 1), (4, 4, 4, 2), 3),
    "smt_s": (64, (3, 4, 18, 2), (4, 4, 4, 2), 3),
    "smt_b": (64, (4, 6, 28, 2), (8, 6, 4, 2), 7),
    "smt_l": (96, (4, 6, 28, 4), (8, 6, 4, 2), 7),
}


def _register(name: str) -> None:
    width, depths, expansions, kernel = SIZES[name]

    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        stages = [[{"expansion": each}] * depth for depth, each in zip(depths, expansions, strict=True)]
        return smt(resolution, in_channels, num_classes, width, stages, kernel)

    networks.register(name)(PublishedNetwork("smt", (224, 224), blueprint, SOURCE))


for _name in SIZES:
    _register(_name)
