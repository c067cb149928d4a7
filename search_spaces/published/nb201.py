"""Cells of NATS-Bench's topology space (Dong et al. 2021), at its CIFAR-10 size.

One operator on every edge, and the cells of the highest mean test accuracy after 200 epochs on each data set.
"""

from __future__ import annotations

from search_spaces.blueprint import Blueprint
from search_spaces.nb201_cells import EDGES, OPERATORS, cell_text
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.nb201 import nb201

CELLS = {f"nb201_all_{operator}": cell_text(len(EDGES) * (operator,)) for operator in OPERATORS[1:]}
CELLS |= {
    "nb201_best_cifar10": (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    ),
    "nb201_best_cifar100": (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    ),
    "nb201_best_imagenet16_120": (
        "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    ),
}


def _register(name: str, cell: str) -> None:
    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        return nb201(cell, width=16, depth=5, resolution=resolution, num_classes=num_classes, in_channels=in_channels)

    source = "Dong et al. 2021, NATS-Bench (arXiv 2009.00437), topology space on CIFAR-10"
    networks.register(name)(PublishedNetwork("nb201", (32, 32), blueprint, source, num_classes=10))


for _name, _cell in CELLS.items():
    _register(_name, _cell)
