"""EfficientNet, its relatives and EfficientNetV2 against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network, networks

# Source: reference/networks.csv (fvcore on timm 1.0.31). Params, MACs, activations.
EXACT = {
    "efficientnet_b0": (5_288_548, 399_352_864, 6_748_036),
    "efficientnet_b1": (7_794_184, 708_623_088, 10_884_328),
    "efficientnet_b2": (9_109_994, 1_021_308_768, 13_832_834),
    "efficientnet_b3": (12_233_232, 1_874_915_424, 23_831_296),
    "efficientnet_b4": (19_341_616, 4_492_947_056, 49_489_032),
    "efficientnet_b5": (30_389_784, 10_464_477_712, 98_857_400),
    "efficientnet_b6": (43_040_704, 19_402_938_992, 167_393_400),
    "tf_efficientnetv2_s": (21_458_488, 8_437_262_336, 35_766_624),
    "tf_efficientnetv2_b0": (7_139_704, 727_666_656, 4_773_400),
    "tf_efficientnetv2_b1": (8_141_052, 1_211_539_616, 7_335_996),
    "tf_efficientnetv2_b2": (10_096_086, 1_717_292_320, 9_837_134),
}
# Source: reference/pycls_zoo.csv. MACs with biases ("flops"), params, activations.
PYCLS = {
    "efficientnet_b0": (385_825_092, 5_288_548, 6_748_036),
    "efficientnet_b1": (686_817_992, 7_794_184, 10_884_328),
    "efficientnet_b2": (993_578_282, 9_109_994, 13_832_834),
    "efficientnet_b3": (1_827_162_472, 12_233_232, 23_831_296),
    "efficientnet_b4": (4_393_801_064, 19_341_616, 49_489_032),
    "efficientnet_b5": (10_266_426_072, 30_389_784, 98_857_400),
}
# Source: reference/spaces.md F6 (hooks on convolutions and linear of timm 1.0.31). Params, MACs.
HOOKS = {
    "efficientnet_b0": (5_288_548, 385_814_752),
    "efficientnet_b1": (7_794_184, 686_802_832),
    "efficientnet_b2": (9_109_994, 993_561_872),
    "efficientnet_b3": (12_233_232, 1_827_141_392),
    "mnasnet_100": (4_383_312, 314_415_872),
    "spnasnet_100": (4_421_616, 333_467_072),
    "fbnetc_100": (5_572_200, 384_960_160),
}
# Source: timm's benchmark tables, rounded there: million params, GMACs, million activations.
ROUNDED = {
    "efficientnet_b7": (66.35, 38.33, 289.94),
    "efficientnet_b8": (87.41, 63.48, 442.89),
    "efficientnet_l2": (480.31, 479.12, 1707.39),
    "mnasnet_050": (2.22, 0.11, 3.07),
    "mnasnet_075": (3.17, 0.23, 4.77),
    "mnasnet_100": (4.38, 0.33, 5.46),
    "mnasnet_140": (7.12, 0.60, 7.71),
    "mnasnet_small": (2.03, 0.07, 2.16),
    "semnasnet_050": (2.08, 0.11, 3.44),
    "semnasnet_075": (2.91, 0.23, 5.54),
    "semnasnet_100": (3.89, 0.32, 6.23),
    "semnasnet_140": (6.11, 0.60, 8.87),
    "spnasnet_100": (4.42, 0.35, 6.03),
    "fbnetc_100": (5.57, 0.40, 6.51),
    "tf_efficientnetv2_b3": (14.36, 3.04, 15.74),
    "tf_efficientnetv2_m": (54.14, 24.76, 89.84),
    "tf_efficientnetv2_l": (118.52, 56.40, 157.99),
    "tf_efficientnetv2_xl": (208.12, 93.85, 247.32),
}


@pytest.mark.parametrize("name", EXACT)
def test_networks_csv(name: str) -> None:
    counted = cost(network(name), "fvcore")
    assert (counted.params, counted.macs, counted.activations) == EXACT[name]


@pytest.mark.parametrize("name", PYCLS)
def test_pycls_zoo_csv(name: str) -> None:
    counted = cost(network(name), "pycls")
    assert (counted.macs, counted.params, counted.activations) == PYCLS[name]


@pytest.mark.parametrize("name", HOOKS)
def test_spaces_md(name: str) -> None:
    counted = cost(network(name))
    assert (counted.params, counted.macs) == HOOKS[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_sizes_that_are_known_rounded(name: str) -> None:
    counted = cost(network(name), "fvcore")
    found = (counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6)
    assert found == pytest.approx(ROUNDED[name], abs=0.00501)


def test_every_registered_size_is_checked() -> None:
    names = {name for name in networks.names() if networks.get(name).family in {"efficientnet", "efficientnetv2"}}
    assert names == {*EXACT, *HOOKS, *ROUNDED}


@pytest.mark.parametrize("name", ["efficientnet_b0", "fbnetc_100", "tf_efficientnetv2_b0"])
def test_fvcores_own_totals(name: str) -> None:
    blueprint = network(name, resolution=48)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
