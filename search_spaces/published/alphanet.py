"""AttentiveNAS and AlphaNet: the models of both papers, and the largest of their space (A0 is the smallest).

Both papers' A0 to A4 and A6 are the same networks; AlphaNet replaced A5 by two others.
"""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.alphanet import alphanet

Row = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]

# Name: resolution, widths (stem, seven stages, feature mix), kernels, expansions, depths.
A0_TO_A6: dict[str, Row] = {
    "a0": (192, (16, 16, 24, 32, 64, 112, 192, 216, 1792), (3,) * 7, (1, 4, 4, 4, 4, 6, 6), (1, 3, 3, 3, 3, 3, 1)),
    "a1": (
        224,
        (16, 16, 24, 32, 64, 112, 192, 216, 1984),
        (3, 3, 3, 5, 3, 5, 3),
        (1, 4, 4, 4, 4, 6, 6),
        (1, 3, 3, 3, 3, 3, 1),
    ),
    "a2": (
        224,
        (16, 16, 24, 32, 64, 112, 200, 224, 1984),
        (3, 3, 3, 3, 3, 5, 3),
        (1, 4, 5, 4, 4, 6, 6),
        (1, 3, 3, 3, 3, 4, 1),
    ),
    "a3": (
        224,
        (16, 16, 24, 32, 64, 112, 208, 224, 1984),
        (3, 3, 3, 5, 3, 3, 3),
        (1, 4, 4, 4, 4, 6, 6),
        (2, 3, 3, 4, 3, 5, 1),
    ),
    "a4": (
        256,
        (16, 16, 24, 32, 64, 112, 192, 216, 1984),
        (3, 3, 3, 5, 3, 5, 3),
        (1, 4, 4, 5, 4, 6, 6),
        (1, 3, 3, 4, 3, 5, 1),
    ),
    "a6": (
        288,
        (16, 16, 24, 32, 64, 112, 216, 224, 1984),
        (3, 3, 3, 3, 3, 5, 3),
        (1, 4, 6, 5, 4, 6, 6),
        (1, 3, 3, 4, 4, 6, 1),
    ),
}
OTHERS: dict[str, Row] = {
    "attentivenas_a5": (
        256,
        (16, 16, 24, 32, 72, 112, 192, 216, 1792),
        (3, 3, 3, 5, 3, 3, 3),
        (1, 4, 5, 4, 4, 6, 6),
        (1, 3, 3, 3, 4, 6, 1),
    ),
    "alphanet_a5_small": (
        256,
        (16, 16, 24, 32, 64, 112, 208, 216, 1984),
        (3, 3, 3, 3, 3, 5, 3),
        (1, 4, 4, 5, 4, 6, 6),
        (1, 3, 3, 4, 4, 5, 1),
    ),
    "alphanet_a5_base": (
        288,
        (16, 16, 24, 32, 64, 112, 200, 216, 1984),
        (3, 3, 5, 5, 3, 3, 3),
        (1, 4, 4, 4, 5, 6, 6),
        (2, 3, 4, 3, 3, 5, 1),
    ),
    "alphanet_max": (
        288,
        (24, 24, 32, 40, 72, 128, 216, 224, 1984),
        (5,) * 7,
        (1, 6, 6, 6, 6, 6, 6),
        (2, 5, 6, 6, 8, 8, 2),
    ),
}
SOURCE = "Wang et al. 2021 (AttentiveNAS, AlphaNet); facebookresearch/AttentiveNAS and AlphaNet, configs/eval_*.yml"
NETWORKS = {
    **{f"attentivenas_{suffix}": row for suffix, row in A0_TO_A6.items()},
    **{f"alphanet_{suffix}": row for suffix, row in A0_TO_A6.items()},
    **OTHERS,
}

for name, (side, widths, kernels, expansions, depths) in NETWORKS.items():
    networks.register(name)(
        PublishedNetwork(
            family="alphanet",
            resolution=(side, side),
            blueprint=partial(alphanet, widths=widths, kernels=kernels, expansions=expansions, depths=depths),
            source=SOURCE,
        )
    )
