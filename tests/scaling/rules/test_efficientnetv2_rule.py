import pytest

from scaling.apply import scale_blueprint
from scaling.factors import Factors
from scaling.rule import scaling_rule
from scaling.rules.efficientnetv2 import ROUNDING, capped_compound, nearest_width
from search_spaces.networks import network


def test_the_published_b3_is_base_times_its_coefficients() -> None:
    """Widths 1.2 and depths 1.4 without EfficientNet's correction of widths (google/automl, effnetv2_configs)."""
    scaled = scale_blueprint(network("tf_efficientnetv2_b0"), Factors(1.4, 1.2), ROUNDING)
    assert [scaled.stem.width, *(stage.width for stage in scaled.stages)] == [40, 16, 40, 56, 112, 136, 232]
    assert scaled.stages == network("tf_efficientnetv2_b3").stages


def test_widths_round_to_the_nearest() -> None:
    assert [nearest_width(width, 1.2) for width in (16, 48, 8)] == [16, 56, 8]
    assert nearest_width(8, 0.1) == 8


def test_the_image_stops_at_480_pixels_and_the_rest_goes_to_depth_and_width() -> None:
    free, capped = capped_compound(30, 224), capped_compound(300, 224)
    assert free.resolution < 480 / 224
    assert capped.resolution == 480 / 224
    for factors, factor in ((free, 30), (capped, 300), (capped_compound(0.2, 600), 0.2)):
        assert factors.depth * factors.width**2 * factors.resolution**2 == pytest.approx(factor)
    assert capped_compound(2, 480).resolution == 1


def test_the_last_two_stages_get_more_layers() -> None:
    base = network("tf_efficientnetv2_b0")
    found = scaling_rule("efficientnetv2")(base, 8)
    scaled = found.blueprint
    growth = [stage.depth / before.depth for stage, before in zip(scaled.stages, base.stages, strict=True)]
    assert min(growth[-2:]) > found.factors.depth
    assert found.predicted.macs > 8
    assert max(scaled.resolution) <= 480
