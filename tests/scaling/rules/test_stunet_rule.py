import pytest

from scaling.factors import predicted_growth
from scaling.rule import scaling_rule
from scaling.rules.stunet import joint
from search_spaces.networks import network

# Convolution MACs at 128^3 in units of 10^12 (Huang et al. 2023): base, large (2 x 2), huge (3 x 3).
MACS = {1: 0.506, 2: 3.804, 3: 12.593}


@pytest.mark.parametrize("times", [2, 3])
def test_the_law_is_near_the_published_growth(times: int) -> None:
    """Stem and head do not grow as fast, so the published networks stay below the cube."""
    assert predicted_growth(joint(times)).macs == times**3
    assert 0.9 < MACS[times] / MACS[1] / times**3 < 1


def test_depth_and_width_grow_alike() -> None:
    scaled = scaling_rule("stunet")(network("resnet50d"), 8)
    assert scaled.factors == pytest.approx((2, 2, 1, 2))
    assert [stage.depth for stage in scaled.blueprint.stages] == [6, 8, 12, 6]
    assert scaled.blueprint.resolution == (224, 224)
