"""ResNet, ResNet-D, ResNeXt, ECA-ResNet and ResNet-RS against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network, networks

# Source: reference/networks.csv (fvcore on timm 1.0.31). Name, resolution, params, MACs, activations.
NETWORKS = [
    ("resnet50", 224, 25_557_032, 4_111_512_576, 11_114_984),
    ("resnet152", 224, 60_192_808, 11_558_835_200, 22_555_112),
    ("resnetrs50", 160, 35_691_912, 2_291_045_376, 6_202_280),
    ("resnetrs101", 160, 63_618_696, 4_199_171_072, 8_835_240),
    ("resnetrs101", 192, 63_618_696, 6_037_557_248, 12_704_424),
    ("resnetrs152", 192, 86_621_576, 8_781_533_184, 17_368_488),
    ("resnetrs152", 224, 86_621_576, 11_942_401_024, 23_618_472),
    ("resnetrs152", 256, 86_621_576, 15_589_556_224, 30_829_992),
    ("resnetrs200", 256, 93_209_992, 20_180_221_952, 43_423_144),
    ("ecaresnet50d", 224, 25_576_350, 4_352_846_592, 11_932_904),
]
# Source: reference/pycls_zoo.csv (pycls's own counts at 224 pixels). Name: params, MACs, activations.
ZOO = {
    "resnet50": (25_557_032, 4_089_185_256, 11_315_688),
    "resnet152": (60_192_808, 11_513_627_624, 22_755_816),
    "resnext50_32x4d": (25_028_904, 4_230_480_872, 14_602_216),
    "resnext152_32x4d": (59_951_400, 11_709_514_728, 29_855_720),
}
# Source: reference/spaces.md F6 (hooks on convolutions and linear layers at 224 pixels). Name: params, MACs.
HOOKS = {
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet50d": (25_576_264, 4_328_824_832),
}
# Source: timm's benchmark tables, rounded there. Name: resolution, million params, GMACs, million activations.
ROUNDED = {
    "ecaresnet101d": (224, 44.57, 8.08, 17.07),
    "ecaresnet200d": (256, 64.69, 20.0, 43.15),
    "ecaresnet269d": (320, 102.09, 41.53, 83.69),
    "ecaresnet50d": (224, 25.58, 4.35, 11.93),
    "resnet101": (224, 44.55, 7.83, 16.23),
    "resnet101d": (224, 44.57, 8.08, 17.04),
    "resnet152": (224, 60.19, 11.56, 22.56),
    "resnet152d": (224, 60.21, 11.8, 23.36),
    "resnet18": (224, 11.69, 1.82, 2.48),
    "resnet18d": (224, 11.71, 2.06, 3.29),
    "resnet200": (224, 64.67, 15.07, 32.19),
    "resnet200d": (256, 64.69, 20.0, 43.09),
    "resnet26": (224, 16.0, 2.36, 7.35),
    "resnet26d": (224, 16.01, 2.6, 8.15),
    "resnet34": (224, 21.8, 3.67, 3.74),
    "resnet34d": (224, 21.82, 3.91, 4.54),
    "resnet50": (224, 25.56, 4.11, 11.11),
    "resnet50d": (224, 25.58, 4.35, 11.92),
    "resnetrs101": (192, 63.62, 6.04, 12.7),
    "resnetrs152": (256, 86.62, 15.59, 30.83),
    "resnetrs200": (256, 93.21, 20.18, 43.42),
    "resnetrs270": (256, 129.86, 27.06, 55.84),
    "resnetrs350": (288, 163.96, 43.67, 87.09),
    "resnetrs420": (320, 191.89, 64.2, 126.56),
    "resnetrs50": (160, 35.69, 2.29, 6.2),
    "resnext101_32x4d": (224, 44.18, 8.01, 21.23),
    "resnext101_32x8d": (224, 88.79, 16.48, 31.21),
    "resnext101_64x4d": (224, 83.46, 15.52, 31.21),
    "resnext50_32x4d": (224, 25.03, 4.26, 14.4),
}


@pytest.mark.parametrize(("name", "side", "params", "macs", "activations"), NETWORKS)
def test_networks_csv(name: str, side: int, params: int, macs: int, activations: int) -> None:
    counted = cost(network(name, side), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == (params, macs, activations)


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_of_pycls(name: str) -> None:
    counted = cost(network(name, 224), "pycls")
    assert (counted.params, counted.macs, counted.activations) == ZOO[name]


@pytest.mark.parametrize("name", HOOKS)
def test_spaces_md(name: str) -> None:
    counted = cost(network(name, 224))
    assert (counted.params, counted.macs) == HOOKS[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_sizes_that_are_known_rounded(name: str) -> None:
    side, *published = ROUNDED[name]
    counted = cost(network(name, side), "fvcore")
    found = (counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6)
    assert found == pytest.approx(published, abs=0.00501)


def test_fvcore_itself_counts_the_same() -> None:
    blueprint = network("ecaresnet50d", 64)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_every_size_is_checked() -> None:
    names = {name for name in networks.names() if networks.get(name).family == "resnet"}
    assert names == {*ROUNDED, *ZOO}
