import pytest

from scaling.depth import num_leading, with_depth
from scaling.rule import scaling_rule
from search_spaces.blueprint import Block
from search_spaces.networks import network

STRIDED = Block.of("swin", shifted=False, stride=2)
PLAIN, SHIFTED = STRIDED.replace(stride=1), Block.of("swin", shifted=True, stride=1)
DOWN, CONV = Block.of("repvgg_dw", stride=2), Block.of("lsconv", stride=1)


@pytest.mark.parametrize(
    ("blocks", "depth", "expected"),
    [
        ((STRIDED, SHIFTED), 5, (STRIDED, SHIFTED, PLAIN, SHIFTED, PLAIN)),
        ((STRIDED, SHIFTED, PLAIN), 5, (STRIDED, SHIFTED, PLAIN, SHIFTED, PLAIN)),
        ((STRIDED, SHIFTED, PLAIN, SHIFTED), 3, (STRIDED, SHIFTED, PLAIN)),
        ((DOWN, CONV), 4, (DOWN, CONV, DOWN.replace(stride=1), CONV)),
        ((DOWN, CONV, CONV), 5, (DOWN, *(CONV,) * 4)),
        ((STRIDED,), 3, (STRIDED, PLAIN, PLAIN)),
    ],
)
def test_a_stage_goes_on_with_its_period(blocks: tuple[Block, ...], depth: int, expected: tuple[Block, ...]) -> None:
    assert with_depth(blocks, depth) == expected


def test_a_stage_without_period_repeats_as_a_whole() -> None:
    blocks = tuple(Block.of(kind) for kind in ("fbnet_block", "fbnet_block", "fbnet_skip", "fbnet_skip"))
    assert with_depth(blocks, 8) == blocks * 2


@pytest.mark.parametrize(
    "block",
    [
        Block.of("osnet_transition", stride=2),
        Block.of("token_reduction", stride=2),
        Block.of("nas_cell", reduces=True, stride=2),
        Block.of("inception_mixed", variant="mixed_6a", stride=2),
    ],
)
def test_blocks_that_lead_to_the_next_map_stand_once(block: Block) -> None:
    assert num_leading((block, CONV)) == 1
    assert with_depth((block, CONV), 4) == (block, CONV, CONV, CONV)
    assert num_leading((CONV, block)) == 0


def test_deeper_swin_still_shifts_every_second_window() -> None:
    scaled = scaling_rule("d")(network("swin_tiny_patch4_window7_224"), 3).blueprint
    for stage in scaled.stages:
        assert [bool(block.get("shifted", False)) for block in stage.blocks] == [
            number % 2 == 1 for number in range(stage.depth)
        ]


def test_stages_that_only_reduce_keep_their_one_block() -> None:
    scaled = scaling_rule("d")(network("nasnetamobile"), 3).blueprint
    assert [stage.depth for stage in scaled.stages] == [12, 1, 12, 1, 12]
