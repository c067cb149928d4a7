from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaling.apply import scale_blueprint
from scaling.factors import Factors
from scaling.quantise import EFFICIENTNET
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError

same_blueprint_each_time = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def stage_of(*blocks: Block, width: int = 64) -> Stage:
    return Stage("stage1", width, blocks)


def with_stage(blueprint: Blueprint, stage: Stage) -> Blueprint:
    return replace(blueprint, stages=(stage,))


def test_factors_of_one_give_the_blueprint_itself(mobile: Blueprint, transformer: Blueprint) -> None:
    assert scale_blueprint(mobile, Factors()) == mobile
    assert scale_blueprint(transformer, Factors()) == transformer


def test_width_reaches_stem_stages_and_the_inside_of_the_head(mobile: Blueprint) -> None:
    scaled = scale_blueprint(mobile, Factors(width=1.5))
    assert scaled.stem.width == 24
    assert [stage.width for stage in scaled.stages] == [24, 32, 64]
    assert scaled.head.blocks[0] == Block.of("mobile_head", expand_width=1440, mix_width=1920, dropout=0.2)
    assert (scaled.num_classes, scaled.in_channels, scaled.resolution) == (10, 3, (224, 192))
    assert [stage.blocks for stage in scaled.stages] == [stage.blocks for stage in mobile.stages]


def test_the_rounding_is_the_rules_own(mobile: Blueprint) -> None:
    assert scale_blueprint(mobile, Factors(width=1.45, depth=1.1)).stages[1].width == 32
    scaled = scale_blueprint(mobile, Factors(width=1.45, depth=1.1), EFFICIENTNET)
    assert [stage.width for stage in scaled.stages] == [24, 32, 56]
    assert [stage.depth for stage in scaled.stages] == [2, 4, 2]


def test_an_absent_layer_stays_absent(mobile: Blueprint) -> None:
    head = replace(mobile.head, blocks=(Block.of("mobile_head", expand_width=96, mix_width=0),))
    scaled = scale_blueprint(replace(mobile, head=head), Factors(width=2.0))
    assert scaled.head.blocks[0] == Block.of("mobile_head", expand_width=192, mix_width=0)


def test_depth_repeats_the_last_block_of_a_stage(mobile: Blueprint) -> None:
    scaled = scale_blueprint(mobile, Factors(depth=2.0))
    first, second, third = mobile.stages[1].blocks
    assert scaled.stages[1].blocks == (first, second, third, third, third, third)


def test_a_repeated_block_never_strides(mobile: Blueprint) -> None:
    scaled = scale_blueprint(mobile, Factors(depth=3.0))
    strided = mobile.stages[2].blocks[0]
    assert scaled.stages[2].blocks == (strided, strided.replace(stride=1), strided.replace(stride=1))


def test_shrinking_drops_from_the_end_and_keeps_the_stride(mobile: Blueprint) -> None:
    scaled = scale_blueprint(mobile, Factors(depth=0.1))
    assert [stage.blocks for stage in scaled.stages] == [stage.blocks[:1] for stage in mobile.stages]


def test_both_sides_of_the_image_scale(mobile: Blueprint) -> None:
    assert scale_blueprint(mobile, Factors(resolution=1.15)).resolution == (256, 220)


def test_a_patch_divides_the_scaled_image(transformer: Blueprint) -> None:
    assert scale_blueprint(transformer, Factors(resolution=1.1)).resolution == (240, 240)


def test_heads_scale_with_the_width_and_keep_their_dimension(transformer: Blueprint) -> None:
    scaled = scale_blueprint(transformer, Factors(width=2.0))
    assert scaled.stem.width == scaled.stages[0].width == 384
    assert [block.get("heads", 0) for block in scaled.stages[0].blocks] == [6, 8, 6]
    assert {block.get("head_dim", 0) for block in scaled.stages[0].blocks} == {64}
    assert [block.get("mlp_ratio", 0) for block in scaled.stages[0].blocks] == [3.5, 4.0, 4.0]


def test_heads_that_share_out_the_width_keep_their_channels(transformer: Blueprint) -> None:
    blocks = (Block.of("attention", heads=6), Block.of("attention", heads=12))
    base = replace(transformer, stem=Stage("stem", 384, transformer.stem.blocks))
    scaled = scale_blueprint(with_stage(base, stage_of(*blocks, width=384)), Factors(width=1.3))
    assert scaled.stem.width == scaled.stages[0].width == 512
    assert [block.get("heads", 0) for block in scaled.stages[0].blocks] == [8, 16]


def test_at_least_one_head_stays(transformer: Blueprint) -> None:
    scaled = scale_blueprint(transformer, Factors(width=0.01))
    assert {block.get("heads", 0) for block in scaled.stages[0].blocks} == {1}
    assert scaled.stages[0].width == 8


def test_group_widths_scale_by_their_own_factor(mobile: Blueprint) -> None:
    block = Block.of("regnet", group_width=32, bottleneck=1.0, stride=2)
    base = with_stage(mobile, stage_of(block, block.replace(stride=1), width=96))
    scaled = scale_blueprint(base, Factors(width=4**0.4, group=4**0.4)).stages[0]
    assert scaled.width == 168
    assert [item.get("group_width", 0) for item in scaled.blocks] == [56, 56]
    fixed = scale_blueprint(base, Factors(width=4**0.4)).stages[0]
    assert (fixed.width, fixed.blocks[0].get("group_width", 0)) == (160, 32)


def test_a_stage_of_several_group_widths_is_refused(mobile: Blueprint) -> None:
    base = with_stage(mobile, stage_of(Block.of("regnet", group_width=8), Block.of("regnet", group_width=16)))
    with pytest.raises(UsageError, match=r"stage1 mixes group widths 8 .*, 16 .*: a stage that is scaled has one"):
        scale_blueprint(base, Factors(width=2.0))


FACTORS = st.floats(0.05, 8)


@same_blueprint_each_time
@given(FACTORS, FACTORS, FACTORS)
def test_what_a_network_is_survives_scaling(
    mobile: Blueprint, transformer: Blueprint, depth: float, width: float, resolution: float
) -> None:
    for base in (mobile, transformer):
        scaled = scale_blueprint(base, Factors(depth, width, resolution, width))
        assert [stage.name for stage in scaled.all_stages()] == [stage.name for stage in base.all_stages()]
        assert scaled.num_classes == base.num_classes
        for stage, before in zip(scaled.all_stages(), base.all_stages(), strict=True):
            strides = [block.get("stride", 1) for block in stage.blocks]
            assert strides == [before.blocks[0].get("stride", 1)] + [1] * (stage.depth - 1)
            assert {block.kind for block in stage.blocks} <= {block.kind for block in before.blocks}
        patch = int(base.stem.blocks[0].get("stride", 1))
        assert all(side % patch == 0 and side > 0 for side in scaled.resolution)


@same_blueprint_each_time
@given(st.floats(0.5, 4), st.floats(1.0, 4))
def test_larger_factors_never_give_less(mobile: Blueprint, small: float, more: float) -> None:
    less = scale_blueprint(mobile, Factors(small, small, small))
    greater = scale_blueprint(mobile, Factors(small * more, small * more, small * more))
    assert less.resolution <= greater.resolution
    for one, other in zip(less.stages, greater.stages, strict=True):
        assert one.width <= other.width
        assert one.depth <= other.depth
