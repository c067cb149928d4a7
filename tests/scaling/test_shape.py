from __future__ import annotations

import pytest

from scaling.apply import scale_blueprint
from scaling.factors import Factors
from scaling.shape import shape_of
from search_spaces.blueprint import Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.networks import network


@pytest.mark.parametrize("name", ["resnet50", "regnety_008", "deit_small_patch16_224"])
def test_dimensions_move_as_rules_multiply_them(name: str) -> None:
    base = network(name)
    depth, width, side = shape_of(base)
    deeper, _, _ = shape_of(scale_blueprint(base, Factors(depth=2.0)))
    _, wider, _ = shape_of(scale_blueprint(base, Factors(width=2.0, group=2.0)))
    _, _, larger = shape_of(scale_blueprint(base, Factors(resolution=2.0)))
    assert deeper == pytest.approx(2 * depth)
    assert wider == pytest.approx(2 * width, rel=0.05)
    assert larger == 2 * side


def test_a_network_without_stages_has_no_shape(mobile: Blueprint) -> None:
    bare = Blueprint(mobile.family, 3, (32, 32), mobile.stem, (Stage("stage1", 16, ()),), mobile.head)
    with pytest.raises(UsageError, match="no stage with parameters"):
        shape_of(bare)
