"""Once-for-All ProxylessNAS: the specialised networks whose configuration is public, and the ends of the space."""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.ofa_proxyless import ofa_proxyless

Stages = tuple[tuple[tuple[int, float], ...], ...]

# Name: resolution and (kernel, expansion) of each block, stage by stage.
NETWORKS: dict[str, tuple[int, Stages]] = {
    "ofa_proxyless_v100_11ms": (
        192,
        (
            ((3, 3), (3, 3)),
            ((5, 6), (5, 3)),
            ((7, 3), (3, 3), (7, 4)),
            ((7, 4), (5, 4), (3, 3), (7, 4)),
            ((3, 6), (5, 6), (5, 4), (3, 6)),
            ((3, 4),),
        ),
    ),
    "ofa_proxyless_1080ti_12ms": (
        128,
        (
            ((3, 3), (3, 3)),
            ((3, 6), (5, 4), (5, 4)),
            ((5, 6), (5, 3), (7, 3)),
            ((3, 4), (7, 3), (3, 6), (3, 4)),
            ((7, 6), (5, 4), (7, 3), (5, 3)),
            ((3, 6),),
        ),
    ),
    "ofa_proxyless_tx2_35ms": (
        128,
        (
            ((3, 4), (3, 3)),
            ((3, 6), (7, 6)),
            ((5, 6), (5, 3)),
            ((5, 3), (3, 4)),
            ((5, 6), (3, 4)),
            ((5, 4),),
        ),
    ),
    "ofa_proxyless_tx2_96ms": (
        172,
        (
            ((3, 3), (3, 4), (3, 6)),
            ((7, 3), (5, 4)),
            ((3, 4), (5, 4), (5, 4), (5, 3)),
            ((5, 4), (7, 3), (7, 3), (3, 6)),
            ((3, 6), (3, 6), (5, 6), (3, 4)),
            ((5, 3),),
        ),
    ),
    "ofa_proxyless_max": (224, (((7, 6),) * 4,) * 5 + (((7, 6),),)),
    "ofa_proxyless_min": (128, (((3, 3),) * 2,) * 5 + (((3, 3),),)),
}

for name, (side, stages) in NETWORKS.items():
    networks.register(name)(
        PublishedNetwork(
            family="ofa_proxyless",
            resolution=(side, side),
            blueprint=partial(ofa_proxyless, stages=stages),
            source="Cai et al. 2020; mit-han-lab/once-for-all, ofa_proxyless.py; han-cai/files, ofa_specialized",
        )
    )
