import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.factors import Factors
from scaling.quantise import (
    FAST,
    StageNumbers,
    compatible,
    efficientnet_depth,
    efficientnet_width,
    round_depth,
    round_group_width,
    round_resolution,
    round_width,
    scale_stage,
)
from scaling.rules.fast import scaling_factors

# Beside the checkout where the project is developed; a user's machine need not have it.
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "scaled.csv"


def scaled(kind: str, factor: float, depths, widths, bottleneck=1.0, group_widths=()) -> list[StageNumbers]:
    groups = group_widths or [1] * len(depths)
    factors = scaling_factors(kind, factor)
    return [
        scale_stage(StageNumbers(depth, width, bottleneck, group), factors, FAST)
        for depth, width, group in zip(depths, widths, groups, strict=True)
    ]


def test_the_golden_case_regnety_4gf_becomes_the_official_regnety_16gf() -> None:
    """pycls, branch vitconfigs: RegNetY-4GF by d1_w8_g8_r1 and s = 4 is the published RegNetY-16GF."""
    stages = scaled("d1_w8_g8_r1", 4.0, [2, 6, 16, 2], [96, 192, 512, 1216], group_widths=[32] * 4)
    assert [stage.depth for stage in stages] == [2, 7, 18, 2]
    assert [stage.width for stage in stages] == [168, 336, 896, 2128]
    assert [stage.group_width for stage in stages] == [56, 56, 56, 56]
    resolution = scaling_factors("d1_w8_g8_r1", 4.0).resolution
    assert round_resolution(240, resolution) == 256
    assert round_resolution(272, resolution) == 292


def test_resnet_50_widths_and_groups_settle_together() -> None:
    """pycls: ResNet-50 (bottleneck 1/4, written as groups of the full width), dwr with groups, s = 4."""
    stages = scaled("d1_w1_g1_r1", 4.0, [3, 4, 6, 3], [256, 512, 1024, 2048], 0.25, [64, 128, 256, 512])
    assert [stage.depth for stage in stages] == [5, 6, 10, 5]
    assert [stage.width for stage in stages] == [320, 640, 1280, 2584]
    assert [stage.group_width for stage in stages] == [80, 160, 320, 646]


BASES = {
    "RegNetY-4.0GF": ([2, 6, 12, 2], [128, 192, 512, 1088], 1.0, [64] * 4),
    "RegNetY-800MF": ([1, 3, 8, 2], [64, 128, 320, 768], 1.0, [16] * 4),
    "ResNet-50": ([3, 4, 6, 3], [256, 512, 1024, 2048], 0.25, [64, 128, 256, 512]),
    "EfficientNet-B0": ([1, 2, 2, 3, 3, 4, 1], [16, 24, 40, 80, 112, 192, 320], 1.0, []),
}


def test_every_row_of_the_reference_table_comes_out_to_the_digit() -> None:
    if not REFERENCE.exists():
        pytest.skip("no table of reference figures (shared/reference/scaled.csv) beside this checkout")
    rows = list(csv.DictReader(REFERENCE.read_text().splitlines()))
    assert len(rows) > 20
    for row in rows:
        kind, factor = row["scaling_type"], float(row["factor"])
        stages = scaled(kind, factor, *BASES[row["base"]])
        groups = [stage.group_width for stage in stages] if BASES[row["base"]][3] else []
        found = ([stage.depth for stage in stages], [stage.width for stage in stages], groups)
        expected = tuple(json.loads(row[column]) for column in ("depths", "widths", "group_ws"))
        assert found == expected, (row["base"], kind)
        assert round_resolution(224, scaling_factors(kind, factor).resolution) == int(row["res"])


def test_halves_round_to_the_even_side() -> None:
    assert [round_depth(1, factor) for factor in (0.5, 1.5, 2.5, 3.5)] == [1, 2, 2, 4]
    assert [round_width(8, factor) for factor in (0.5, 1.5, 2.5)] == [8, 16, 16]
    assert [round_resolution(4, factor) for factor in (1.5, 2.5)] == [8, 8]


def test_resolution_takes_the_multiple_of_a_patch() -> None:
    assert round_resolution(224, 1.07, 16) == 240
    assert round_resolution(8, 0.1, 16) == 16


@pytest.mark.parametrize(
    ("scaled_to", "expected"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 4), (6, 8), (11, 8), (12, 16), (20, 16), (100, 96)]
)
def test_group_widths_snap(scaled_to: int, expected: int) -> None:
    assert round_group_width(100, scaled_to / 100) == expected


def test_depthwise_stays_depthwise() -> None:
    assert round_group_width(1, 4.0) == 1


@pytest.mark.parametrize(
    ("width", "factor", "expected"),
    [(32, 1.0, 32), (32, 1.1, 32), (24, 1.2, 32), (40, 1.6, 64), (8, 1.45, 16), (8, 0.1, 8)],
)
def test_efficientnet_widths_never_lose_a_tenth(width: int, factor: float, expected: int) -> None:
    assert efficientnet_width(width, factor) == expected
    assert expected >= 0.9 * width * factor


def test_efficientnet_repeats_round_up() -> None:
    assert [efficientnet_depth(repeats, 1.1) for repeats in (1, 2, 3, 4)] == [2, 3, 4, 5]


@given(
    st.integers(1, 300).map(lambda number: 8 * number),
    st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]),
    st.integers(1, 128),
)
def test_compatible_widths_divide_into_groups(width: int, bottleneck: float, group_width: int) -> None:
    fitted, group = compatible(width, bottleneck, group_width)
    inner = round(fitted * bottleneck)
    assert inner % group == 0
    assert 1 <= group <= group_width
    assert abs(inner - width * bottleneck) <= max(group, bottleneck * group) / 2


@given(st.integers(1, 50), st.integers(1, 500), st.integers(1, 64))
def test_a_factor_of_one_changes_nothing(depth: int, width: int, group_width: int) -> None:
    stage = StageNumbers(depth, width, 1.0, group_width)
    assert scale_stage(stage, Factors()) == stage


@given(st.integers(1, 50), st.integers(1, 500), st.floats(0.01, 10), st.floats(0.01, 10))
def test_dimensions_grow_with_their_factor(depth: int, width: int, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert round_depth(depth, small) <= round_depth(depth, large)
    assert round_width(width, small) <= round_width(width, large)
    assert efficientnet_width(width, small) <= efficientnet_width(width, large)
    assert round_width(width, small) % 8 == 0
