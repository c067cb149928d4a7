"""Published networks of inverted bottlenecks are members of their space: the same blueprint, setting by setting."""

from __future__ import annotations

import pytest

from search_spaces.blueprint import Blueprint
from search_spaces.networks import network
from search_spaces.published.ofa_proxyless import NETWORKS as PROXYLESS
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

# Family, form, width multiplier, name.
MEMBERS = [
    ("mobilenetv2", "imagenet", 0.35, "mobilenetv2_035"),
    ("mobilenetv2", "imagenet", 0.5, "mobilenetv2_050"),
    ("mobilenetv2", "imagenet", 0.75, "mobilenetv2_075"),
    ("mobilenetv2", "imagenet", 1.0, "mobilenetv2_100"),
    ("mobilenetv2", "imagenet", 1.4, "mobilenetv2_140"),
    ("mobilenetv3", "large", 0.75, "mobilenetv3_large_075"),
    ("mobilenetv3", "large", 1.0, "mobilenetv3_large_100"),
    ("mobilenetv3", "small", 0.75, "mobilenetv3_small_075"),
    ("mobilenetv3", "small", 1.0, "mobilenetv3_small_100"),
    ("efficientnet", "b0", 1.0, "efficientnet_b0"),
    ("efficientnet", "b0", 1.0, "efficientnet_b1"),
    ("efficientnet", "b0", 1.1, "efficientnet_b2"),
    ("efficientnet", "b0", 1.2, "efficientnet_b3"),
    ("efficientnetv2", "b0", 1.0, "tf_efficientnetv2_b0"),
    ("efficientnetv2", "b0", 1.0, "tf_efficientnetv2_b1"),
    ("efficientnetv2", "b0", 1.1, "tf_efficientnetv2_b2"),
    ("efficientnetv2", "b0", 1.2, "tf_efficientnetv2_b3"),
    ("efficientnetv2", "s", 1.0, "tf_efficientnetv2_s"),
    *(("ofa_proxyless", "imagenet", 1.3, name) for name in PROXYLESS),
]


def member(found: SearchSpace, published: Blueprint, width: float) -> Blueprint:
    """Return the space's network with the resolution, depths, kernels and expansions of ``published``."""
    values: dict[str, int | float | str] = {"resolution": published.resolution[0], "width": width}
    for stage in published.stages:
        values[f"{stage.name}.depth"] = stage.depth
        for number, block in enumerate(stage.blocks, start=1):
            for knob in ("kernel", "expansion"):
                values[f"{stage.name}.block{number}.{knob}"] = block.get(knob, 0)
    known = {name: value for name, value in values.items() if name in found.column}
    return found.blueprint(found.architecture(known))


@pytest.mark.parametrize(("family", "form", "width", "name"), MEMBERS)
def test_published_networks_are_members(family: str, form: str, width: float, name: str) -> None:
    assert member(space(family, form=form), network(name), width) == network(name)
