"""RegNetX and RegNetY against published counts, to the digit."""

from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.networks import network, networks

# Source: reference/networks.csv (fvcore on timm 1.0.31). Name, resolution, params, MACs, activations.
NETWORKS = [
    ("regnetx_002", 224, 2_684_792, 203_384_016, 2_164_056),
    ("regnetx_004", 224, 5_157_512, 403_980_928, 3_143_272),
    ("regnetx_016", 224, 9_190_136, 1_618_759_504, 7_933_512),
    ("regnetx_040", 224, 22_118_248, 3_988_966_672, 12_201_608),
    ("regnety_002", 224, 3_162_996, 203_858_224, 2_168_052),
    ("regnety_004", 224, 4_344_144, 409_636_984, 3_892_496),
    ("regnety_016", 224, 11_202_430, 1_628_186_968, 8_044_814),
    ("regnety_040", 224, 20_646_656, 3_997_890_368, 12_287_200),
    ("regnety_320", 224, 145_046_770, 32_340_196_800, 30_261_570),
    ("regnetx_320", 224, 107_811_560, 31_808_655_592, 36_302_160),
]
# Source: reference/pycls_zoo.csv (pycls's own counts at 224 pixels). Name: params, MACs, activations.
ZOO = {
    "regnetx_002": (2_684_792, 199_040_872, 2_164_056),
    "regnetx_004": (5_157_512, 397_678_568, 3_143_272),
    "regnetx_008": (7_259_656, 799_700_712, 5_148_744),
    "regnetx_016": (9_190_136, 1_602_850_792, 7_933_512),
    "regnetx_040": (22_118_248, 3_964_499_816, 12_201_608),
    "regnetx_064": (26_209_256, 6_460_292_264, 16_369_744),
    "regnetx_120": (46_106_056, 12_086_679_016, 21_366_568),
    "regnetx_320": (107_811_560, 31_735_930_792, 36_302_160),
    "regnety_002": (3_162_996, 199_519_076, 2_168_052),
    "regnety_004": (4_344_144, 401_849_056, 3_892_496),
    "regnety_008": (6_263_168, 797_183_328, 5_249_888),
    "regnety_016": (11_202_430, 1_612_087_326, 8_044_814),
    "regnety_040": (20_646_656, 3_973_301_344, 12_287_200),
    "regnety_064": (30_583_252, 6_355_221_876, 16_407_188),
    "regnety_080": (39_180_068, 7_963_074_196, 17_968_916),
    "regnety_120": (51_822_544, 12_092_395_504, 21_384_496),
    "regnety_160": (83_590_140, 15_911_534_044, 23_041_228),
    "regnety_320": (145_046_770, 32_279_583_362, 30_261_570),
}
# Source: reference/spaces.md F6 (hooks on convolutions and linear layers at 224 pixels). Name: params, MACs.
HOOKS = {"regnetx_004": (5_157_512, 397_677_568), "regnety_004": (4_344_144, 401_842_848)}
# Source: timm's benchmark tables, rounded there. Name: resolution, million params, GMACs, million activations.
ROUNDED = {
    "regnetx_002": (224, 2.68, 0.2, 2.16),
    "regnetx_004": (224, 5.16, 0.4, 3.14),
    "regnetx_006": (224, 6.2, 0.61, 3.98),
    "regnetx_008": (224, 7.26, 0.81, 5.15),
    "regnetx_016": (224, 9.19, 1.62, 7.93),
    "regnetx_032": (224, 15.3, 3.2, 11.37),
    "regnetx_040": (224, 22.12, 3.99, 12.2),
    "regnetx_064": (224, 26.21, 6.49, 16.37),
    "regnetx_080": (224, 39.57, 8.02, 14.06),
    "regnetx_120": (224, 46.11, 12.13, 21.37),
    "regnetx_160": (224, 54.28, 15.99, 25.52),
    "regnetx_320": (224, 107.81, 31.81, 36.3),
    "regnety_002": (224, 3.16, 0.2, 2.17),
    "regnety_004": (224, 4.34, 0.41, 3.89),
    "regnety_006": (224, 6.06, 0.61, 4.33),
    "regnety_008": (224, 6.26, 0.81, 5.25),
    "regnety_016": (224, 11.2, 1.63, 8.04),
    "regnety_032": (224, 19.44, 3.2, 11.26),
    "regnety_040": (224, 20.65, 4.0, 12.29),
    "regnety_064": (224, 30.58, 6.39, 16.41),
    "regnety_080": (224, 39.18, 8.0, 17.97),
    "regnety_120": (224, 51.82, 12.14, 21.38),
    "regnety_1280": (224, 644.81, 127.66, 71.58),
    "regnety_160": (224, 83.59, 15.96, 23.04),
    "regnety_2560": (384, 1282.6, 747.83, 296.49),
    "regnety_320": (224, 145.05, 32.34, 30.26),
    "regnety_640": (224, 281.38, 64.16, 42.5),
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


def test_regnety_4gf_of_early_convolutions() -> None:
    """Source: reference/fast_scaling_golden.json, the base."""
    base = network("regnety_4gf_240")
    counted = cost(base, "pycls")
    assert (counted.params, counted.macs, counted.activations) == (22_408_976, 4_095_782_704, 14_465_008)
    assert base.resolution == (240, 240)
    assert [stage.depth for stage in base.stages] == [2, 6, 16, 2]
    assert [stage.width for stage in base.stages] == [96, 192, 512, 1216]


@pytest.mark.parametrize("name", ROUNDED)
def test_sizes_that_are_known_rounded(name: str) -> None:
    side, *published = ROUNDED[name]
    counted = cost(network(name, side), "fvcore")
    found = (counted.params / 1e6, counted.macs / 1e9, counted.activations / 1e6)
    assert found == pytest.approx(published, abs=0.00501)


def test_fvcore_itself_counts_the_same() -> None:
    blueprint = network("regnety_002", 64)
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_every_size_is_checked() -> None:
    names = {name for name in networks.names() if networks.get(name).family == "regnet"}
    assert names == {*ROUNDED, "regnety_4gf_240"}
