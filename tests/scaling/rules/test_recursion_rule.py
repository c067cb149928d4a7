import pytest

from scaling.rule import scaling_rule
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network


def test_weights_are_used_more_often_and_stay() -> None:
    base = network("SReT_T")
    scaled = scaling_rule("recursion")(base, 2)
    assert {block.get("loops", 0) for stage in scaled.blueprint.stages for block in stage.blocks} == {4}
    growth = cost(scaled.blueprint).macs / cost(base).macs
    assert growth == pytest.approx(2, rel=0.05)
    assert cost(scaled.blueprint).params < 1.25 * cost(base).params
    assert scaled.predicted.params == 1


def test_at_least_one_pass_stays() -> None:
    scaled = scaling_rule("recursion")(network("SReT_T"), 0.1).blueprint
    assert {block.get("loops", 0) for stage in scaled.stages for block in stage.blocks} == {1}


def test_other_families_are_refused() -> None:
    with pytest.raises(UsageError, match=r"rule 'recursion' does not fit family 'vit': .*give a network of sret"):
        scaling_rule("recursion")(network("deit_tiny_patch16_224"), 2)
