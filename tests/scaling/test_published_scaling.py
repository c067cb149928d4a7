"""Published networks scaled by rules: pycls's scaled networks and the golden test of the fast rule, to the digit."""

from __future__ import annotations

import pytest

from scaling.rule import scaling_rule
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.networks import network

# Source: reference/scaled.csv (pycls's scaler and counts), every base at 224 pixels. Base, rule, factor, side; depths,
# widths and group widths of the stages; params, MACs, activations.
SCALED = """
regnety_040 d 4 224 8,24,48,8 128,192,512,1088 64,64,64,64 80921984 15247504096 39475168
regnety_040 w 4 224 2,6,12,2 256,384,1024,2176 64,64,64,64 69029488 12254643408 24171984
regnety_040 w1_g1 4 224 2,6,12,2 256,384,1024,2176 128,128,128,128 80236144 15730033872 24171984
regnety_040 r 4 448 2,6,12,2 128,192,512,1088 64,64,64,64 20646656 15882474592 49110112
regnety_040 dwr 4 284 3,10,19,3 128,256,640,1344 64,64,64,64 46481584 14101852048 34366032
regnety_040 d1_w1_g1_r1 4 284 3,10,19,3 160,240,640,1360 80,80,80,80 49386616 15778146424 35777176
regnety_040 d1_w2_g2_r1 4 268 3,8,17,3 176,264,704,1496 88,88,88,88 55216744 15446052312 32092448
regnety_040 d1_w8_g8_r1 4 240 2,7,14,2 224,336,896,1904 112,112,112,112 68144472 15608249240 26542408
regnety_040 d1_w8_g0_r1 4 240 2,7,14,2 256,320,896,1920 64,64,64,64 59996704 12839588736 27344128
regnety_008 d 5 224 5,15,40,10 64,128,320,768 16,16,16,16 29533248 3580659232 18218016
regnety_008 w 5 224 1,3,8,2 144,288,704,1728 16,16,16,16 27063852 3380321164 11221260
regnety_008 w1_g1 5 224 1,3,8,2 128,288,704,1728 32,32,32,32 28495768 3672041848 10870008
regnety_008 r 5 500 1,3,8,2 64,128,320,768 16,16,16,16 6263168 4107762400 26679264
regnety_008 dwr 5 292 2,5,14,3 80,160,416,1008 16,16,16,16 15947352 3723621208 17244552
regnety_008 d1_w1_g1_r1 5 292 2,5,14,3 72,168,408,1008 24,24,24,24 16420042 3958468074 16892786
regnety_008 d1_w2_g2_r1 5 272 1,4,12,3 96,192,480,1152 24,24,24,24 19925992 3652999176 13985288
regnety_008 d1_w8_g8_r1 5 244 1,4,9,2 128,256,608,1472 32,32,32,32 22942296 4127900856 13456536
regnety_008 d1_w8_g0_r1 5 244 1,4,9,2 128,240,608,1472 16,16,16,16 21457896 3605070824 13212408
resnet50 d 4 224 12,16,24,12 256,512,1024,2048 64,128,256,512 89824040 14570750952 36152808
resnet50 w 4 224 3,4,6,3 512,1024,2048,4096 64,128,256,512 75319080 12170773480 21626856
resnet50 w1_g1 4 224 3,4,6,3 512,1024,2048,4096 128,256,512,1024 97953576 15870149608 21626856
resnet50 r 4 448 3,4,6,3 256,512,1024,2048 64,128,256,512 25557032 16350594024 45259752
resnet50 dwr 4 284 5,6,10,5 256,512,1024,2048 64,128,256,512 39651880 10307618536 26789928
resnet50 d1_w1_g1_r1 4 284 5,6,10,5 320,640,1280,2584 80,160,320,646 61965860 16021668428 33101862
resnet50 d1_w2_g2_r1 4 268 4,6,8,4 352,728,1440,2880 88,182,360,720 63857232 15732262216 29025582
resnet50 d1_w8_g8_r1 4 240 3,5,7,3 448,888,1784,3552 112,222,446,888 78615464 15693158404 23726422
resnet50 d1_w8_g0_r1 4 240 3,5,7,3 512,1024,2048,4096 64,128,256,512 79424296 15782753256 27066856
efficientnet_b0 d 4 224 4,8,8,12,12,16,4 16,24,40,80,112,192,320 - 20091856 1575176640 22784704
efficientnet_b0 w 4 224 1,2,2,3,3,4,1 32,48,80,160,224,384,640 - 18122720 1449978528 13495072
efficientnet_b0 r 4 448 1,2,2,3,3,4,1 16,24,40,80,112,192,320 - 5288548 1537547748 26961124
efficientnet_b0 dw 4 224 2,4,4,6,6,8,2 24,32,56,112,160,272,456 - 19501522 1509751514 17052298
efficientnet_b0 dwr 4 284 2,3,3,5,5,6,2 24,32,48,104,144,240,400 - 13234516 1696567884 21548476
efficientnet_b0 d1_w8_r1 4 240 1,2,2,3,3,5,1 24,40,72,136,192,336,560 - 15824374 1381124070 13328046
"""


def numbers(blueprint: Blueprint) -> tuple[tuple[int, int], list[int], list[int], list[int]]:
    depths, widths = ([getattr(stage, name) for stage in blueprint.stages] for name in ("depth", "width"))
    group_widths = [int(stage.blocks[0].get("group_width", 0)) for stage in blueprint.stages]
    return blueprint.resolution, depths, widths, [width for width in group_widths if width]


@pytest.mark.parametrize("row", SCALED.strip().splitlines())
def test_scaled_csv(row: str) -> None:
    base, rule, factor, side, *lists, params, macs, activations = row.split()
    scaled = scaling_rule(rule)(network(base, 224), float(factor)).blueprint
    depths, widths, group_widths = ([int(item) for item in text.split(",") if item != "-"] for text in lists)
    assert numbers(scaled) == ((int(side), int(side)), depths, widths, group_widths)
    counted = cost(scaled, "pycls")
    assert (counted.params, counted.macs, counted.activations) == (int(params), int(macs), int(activations))


def test_the_golden_network_of_the_fast_rule() -> None:
    """Source: reference/fast_scaling_golden.json: RegNetY-4GF x 4 is the published RegNetY-16GF.

    15.5 GMACs, 72.3 million params and 30.7 million activations are those of the paper (arXiv 2106.14881, table 2).
    """
    scaled = scaling_rule("fast")(network("regnety_4gf_240"), 4).blueprint
    assert numbers(scaled) == ((256, 256), [2, 7, 18, 2], [168, 336, 896, 2128], [56] * 4)
    counted = cost(scaled, "pycls")
    assert round(counted.macs / 1e9, 1) == 15.5
    assert round(counted.params / 1e6, 1) == 72.3
    assert round(counted.activations / 1e6, 1) == 30.7


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnetrs50", "regnety_002"])
def test_the_stems_of_resnet_and_regnet_keep_their_width(name: str) -> None:
    base = network(name)
    scaled = scaling_rule("w")(base, 4).blueprint
    assert scaled.stem == base.stem
    assert scaled.stages[-1].width == 2 * base.stages[-1].width


def test_a_network_stays_dense_where_it_states_no_group_width() -> None:
    """ResNet-50 holds its inner widths as group widths, as pycls does, and becomes grouped; ResNet-50-D does not."""

    def growth(name: str) -> float:
        return cost(scaling_rule("w")(network(name), 4).blueprint).macs / cost(network(name)).macs

    assert growth("resnet50") < 3 < 3.7 < growth("resnet50d")
