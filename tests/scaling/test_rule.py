import pytest

from scaling.factors import Growth
from scaling.rule import RULES, scaling_rule
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError


def test_the_shipped_rules_are_registered() -> None:
    assert RULES.names() == ["d", "dr", "dw", "dwr", "efficientnet", "fast", "r", "w", "wr"]


def test_a_rule_says_what_it_did(mobile: Blueprint) -> None:
    scaled = scaling_rule("w")(mobile, 4)
    assert (scaled.rule, scaled.factor_asked) == ("w", 4)
    assert scaled.factors == (1, 2, 1, 1)
    assert scaled.predicted == Growth(macs=4, params=4, activations=2)
    assert [stage.width for stage in scaled.blueprint.stages] == [32, 48, 80]


@pytest.mark.parametrize("name", RULES.names())
def test_every_rule_keeps_its_contract(name: str, mobile: Blueprint, transformer: Blueprint) -> None:
    rule = scaling_rule(name)
    assert rule.name == name
    for base in (mobile, transformer):
        assert rule(base, 1).blueprint == base
        assert rule(base, 8).predicted.macs == pytest.approx(8)
        assert rule(base, 0.25).predicted.macs == pytest.approx(0.25)
        assert rule(base, 8) == rule(base, 8)
    with pytest.raises(UsageError, match=r"factor of -1 is not possible"):
        rule(mobile, -1)


def test_weights_are_a_rule_of_their_own() -> None:
    assert scaling_rule("d1_w2_g2_r1").name == "d1_w2_g2_r1"


def test_an_unknown_rule_lists_close_names() -> None:
    with pytest.raises(UsageError, match=r"unknown scaling rule 'fats': did you mean 'fast'\? allowed: d, dr"):
        scaling_rule("fats")
