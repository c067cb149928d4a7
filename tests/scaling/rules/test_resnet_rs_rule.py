import pytest

from scaling.rule import scaling_rule
from scaling.rules.resnet_rs import capped_growth, inner_depths, resolution_share
from search_spaces.errors import UsageError
from search_spaces.networks import network


def test_the_image_takes_its_published_share() -> None:
    """By hand from the paper's table: sum of x y over sum of x^2, with x, y the logs of MACs and of sides squared."""
    assert resolution_share() == pytest.approx(0.407, abs=1e-3)


def test_long_schedules_scale_depth_and_short_ones_width() -> None:
    base = network("resnetrs50")
    deep, wide = (scaling_rule(name)(base, 4) for name in ("resnet_rs", "resnet_rs:10"))
    assert (deep.factors.width, wide.factors.depth) == (1, 1)
    assert deep.factors.resolution == wide.factors.resolution == pytest.approx(4 ** (0.407 / 2), rel=1e-3)
    assert deep.predicted.macs == pytest.approx(4)
    assert wide.predicted.macs == pytest.approx(4)
    assert wide.factors.group == wide.factors.width


def test_the_inner_stages_take_the_blocks_as_from_50_to_101_layers() -> None:
    base = network("resnetrs50")
    depths = [stage.depth for stage in base.stages]
    assert depths == [3, 4, 6, 3]
    assert [round(d * n) for d, n in zip(inner_depths(base, 33 / 16), depths, strict=True)] == [3, 11, 16, 3]
    assert inner_depths(network("vit_base_patch16_224"), 2) == (2,)
    assert inner_depths(base, 0.1) == (1, 0.1, 0.1, 1)


def test_the_image_stops_growing_at_320_pixels() -> None:
    assert capped_growth(224, 1.5, 320) == 320 / 224
    assert capped_growth(224, 1.1, 320) == 1.1
    assert capped_growth(384, 1.5, 320) == 1
    assert capped_growth(384, 0.5, 320) == 0.5
    scaled = scaling_rule("resnet_rs")(network("resnetrs50"), 40)
    assert scaled.blueprint.resolution == (320, 320)
    assert scaled.predicted.macs == pytest.approx(40)


@pytest.mark.parametrize("text", ["", "0", "ten", "-5", "1.5"])
def test_epochs_are_a_positive_number(text: str) -> None:
    with pytest.raises(UsageError, match=rf"resnet_rs:{text}': epochs got '{text}': give a positive whole number"):
        scaling_rule(f"resnet_rs:{text}")
