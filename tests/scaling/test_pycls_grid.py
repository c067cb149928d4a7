"""The whole grid of pycls's scaler, held to its rules by a second, plain implementation on numbers alone."""

import math

import pytest

from scaling.rule import scaling_rule
from search_spaces.block import cost
from search_spaces.networks import network, networks

KINDS = {
    "d": (1, 0, 0, 0),
    "w": (0, 1, 0, 0),
    "w1_g1": (0, 1, 0, 1),
    "r": (0, 0, 1, 0),
    "dw": (1 / 2, 1 / 2, 0, 0),
    "dr": (1 / 2, 0, 1 / 2, 0),
    "wr": (0, 1 / 2, 1 / 2, 0),
    "dwr": (1 / 3, 1 / 3, 1 / 3, 0),
    "d1_w1_g1_r1": (1 / 3, 1 / 3, 1 / 3, 1 / 3),
    "d1_w2_g2_r1": (1 / 4, 1 / 2, 1 / 4, 1 / 2),
    "d1_w8_g8_r1": (0.1, 0.8, 0.1, 0.8),
    "d1_w8_g0_r1": (0.1, 0.8, 0.1, 0),
    "dW2r": (1 / 4, 1 / 2, 1 / 4, 1 / 2),
    "dWr": (0.1, 0.8, 0.1, 0.8),
}
BASES = [
    name
    for name in networks.names()
    if name.startswith(("regnetx", "regnety")) or name in {f"efficientnet_b{size}" for size in range(8)}
] + ["resnet50", "resnet101", "resnet152", "resnext50_32x4d"]


def expected(stages: list[tuple[int, int, float, int]], kind: str, factor: float) -> list[tuple[int, int, int]]:
    """Return (depth, width, group width) of each stage; group width 0: not a grouped network."""
    d, w, _, g = KINDS[kind]
    found = []
    for depth, width, bottleneck, group in stages:
        if d:
            depth = max(1, round(factor**d * depth))
        if w:
            width = max(1, round(factor ** (w / 2) * width / 8)) * 8
        if group and g:
            group = max(1, round(factor ** (g / 2) * group))
            group = group if group <= 2 else 4 if group <= 5 else round(group / 8) * 8
        if group and (w or g):
            inner = int(max(1, width * bottleneck))
            group = min(group, inner)
            multiple = math.lcm(group, int(bottleneck)) if bottleneck > 1 else group
            width = int(max(multiple, round(inner / multiple) * multiple) / bottleneck)
        found.append((depth, width, group))
    return found


@pytest.mark.parametrize("base", [name for name in BASES if name in networks.names()])
def test_every_kind_and_factor(base: str) -> None:
    blueprint = network(base, 224)
    before = [
        (
            stage.depth,
            stage.width,
            float(stage.blocks[0].get("bottleneck", 1.0)),
            int(stage.blocks[0].get("group_width", 0)),
        )
        for stage in blueprint.stages
    ]
    for kind, (_, _, r, _) in KINDS.items():
        for factor in (0.25, 1.5, 2.0, 3.0, 4.0, 5.0, 8.0, 16.0):
            scaled = scaling_rule(kind)(blueprint, factor).blueprint
            found = [(stage.depth, stage.width, int(stage.blocks[0].get("group_width", 0))) for stage in scaled.stages]
            assert found == expected(before, kind, factor), (base, kind, factor)
            side = round(224 * factor ** (r / 2) / 4) * 4 if r else 224
            assert scaled.resolution == (side, side)


@pytest.mark.parametrize("base", ["regnetx_002", "regnety_320", "efficientnet_b3", "resnet101"])
def test_what_comes_out_can_be_counted(base: str) -> None:
    blueprint = network(base, 224)
    for kind in KINDS:
        counted = cost(scaling_rule(kind)(blueprint, 3.0).blueprint, "pycls")
        assert counted.macs > cost(blueprint, "pycls").macs
