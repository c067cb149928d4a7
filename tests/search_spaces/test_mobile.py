from __future__ import annotations

import pytest

from search_spaces.blueprint import Block
from search_spaces.mobile import Row, mobile_network, nearest_multiple, scaled, stage_blocks

TABLE = (
    (Row(1, 3, 1, 1, 16),),
    (Row(2, 5, 2, 6, 24, True), Row(1, 3, 1, 3, 24, activation="relu")),
    (Row(3, 3, 2, 4, 40, kind="fused_mbconv"),),
)


def test_only_the_first_block_of_a_row_has_its_stride() -> None:
    blocks = TABLE[1][0].blocks("silu", squeeze_style="efficientnet")
    assert [block.get("stride", 0) for block in blocks] == [2, 1]
    assert {block.get("squeeze_style", "") for block in blocks} == {"efficientnet"}


def test_a_stage_joins_its_rows_and_a_row_may_have_its_own_activation() -> None:
    width, blocks = stage_blocks(TABLE, "silu")[1]
    assert width == 24
    assert [(block.get("kernel", 0), block.get("activation", "")) for block in blocks] == [
        (5, "silu"),
        (5, "silu"),
        (3, "relu"),
    ]


def test_settings_of_mbconv_are_not_given_to_fused_blocks() -> None:
    blocks = stage_blocks(TABLE, "silu", squeeze_style="efficientnet")[2][1]
    assert [block.kind for block in blocks] == ["fused_mbconv"] * 3
    assert dict(blocks[0].settings) == {"activation": "silu", "expansion": 4, "kernel": 3, "stride": 2}


def test_multipliers_round_widths_and_round_depths_up() -> None:
    assert [rows[0].width for rows in scaled(TABLE, 1.1)] == [16, 24, 48]
    assert [[row.num for row in rows] for rows in scaled(TABLE, 1.0, 1.2)] == [[2], [3, 2], [4]]


def test_fixed_ends_keep_the_depth_of_the_first_and_last_stage() -> None:
    assert [[row.num for row in rows] for rows in scaled(TABLE, 1.0, 2.0, fixed_ends=True)] == [[1], [4, 2], [3]]


@pytest.mark.parametrize(("width", "expected"), [(1.0, 8), (11.9, 8), (12.0, 16), (19.2, 16), (57.6, 56)])
def test_the_nearest_multiple_may_lose_more_than_a_tenth(width: float, expected: int) -> None:
    assert nearest_multiple(width) == expected


def test_stages_are_numbered_from_one() -> None:
    head = Block.of("pool_head", expand_width=64)
    made = mobile_network("mine", (32, 24), 5, 2, (8, "relu"), stage_blocks(TABLE, "relu"), head, stem_stride=1)
    placed = [block.name for block in made.placed()]
    assert placed[:4] == ["stem", "stage1.block1", "stage2.block1", "stage2.block2"]
    assert (placed[-1], made.num_classes, made.in_channels) == ("head", 5, 2)
    assert list(made.placed())[-1].in_size == (8, 6)
