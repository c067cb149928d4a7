import pytest
from rules_anywhere import ANYWHERE

from scaling.factors import Growth
from scaling.rule import RULE_MAKERS, RULES, scaling_rule
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError

# More layers in late stages come on top of the formula that EfficientNetV2's rule starts from.
PREDICTED = {"efficientnetv2": 0.2}


def test_the_shipped_rules_are_registered() -> None:
    assert {*ANYWHERE, "patch", "recursion", "regnet", "s2", "sovit"} <= set(RULES.names())
    assert {"fast", "resnet_rs"} <= set(RULE_MAKERS.names())


def test_a_rule_says_what_it_did(mobile: Blueprint) -> None:
    scaled = scaling_rule("w")(mobile, 4)
    assert (scaled.rule, scaled.factor_asked) == ("w", 4)
    assert scaled.factors == (1, 2, 1, 1)
    assert scaled.predicted == Growth(macs=4, params=4, activations=2)
    assert [stage.width for stage in scaled.blueprint.stages] == [32, 48, 80]


@pytest.mark.parametrize("name", ANYWHERE)
def test_every_rule_keeps_its_contract(name: str, mobile: Blueprint, transformer: Blueprint) -> None:
    rule = scaling_rule(name)
    assert rule.name == name
    for base in (mobile, transformer):
        assert rule(base, 1).blueprint == base
        assert rule(base, 8).predicted.macs == pytest.approx(8, rel=PREDICTED.get(name, 1e-6))
        assert rule(base, 0.25).predicted.macs == pytest.approx(0.25, rel=PREDICTED.get(name, 1e-6))
        assert rule(base, 8) == rule(base, 8)
    with pytest.raises(UsageError, match=r"factor of -1 is not possible"):
        rule(mobile, -1)


def test_weights_are_a_rule_of_their_own() -> None:
    assert scaling_rule("d1_w2_g2_r1").name == "d1_w2_g2_r1"


def test_an_argument_makes_a_rule() -> None:
    assert scaling_rule("fast:0.5").name == "fast:0.5"
    with pytest.raises(UsageError, match=r"unknown scaling rule with an argument 'd': .*allowed: fast, .*resnet_rs"):
        scaling_rule("d:3")


def test_an_unknown_rule_lists_close_names() -> None:
    with pytest.raises(UsageError, match=r"unknown scaling rule 'fats': did you mean 'fast'\? allowed: d, dW2r"):
        scaling_rule("fats")
