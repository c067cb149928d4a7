from __future__ import annotations

import pytest

from scaling.comparison import compare_rules
from scaling.rule import scaling_rule
from search_spaces.block import cost
from search_spaces.networks import network


def test_rules_are_solved_for_the_same_achieved_macs() -> None:
    base = network("regnety_008")
    found, refused = compare_rules(base, [scaling_rule(name) for name in ("d", "w1_g1", "dWr")], (2.0,), cost)
    assert [(each.rule, each.factor) for each in found] == [
        (rule, factor) for rule in ("d", "w1_g1", "dWr") for factor in (2.0,)
    ]
    assert refused == []
    for each in found:
        assert each.achieved.macs == pytest.approx(each.factor, rel=0.1)
        assert each.cost == cost(each.scaled.blueprint)
        assert each.achieved.params == pytest.approx(each.cost.params / cost(base).params)


def test_a_rule_that_does_not_fit_is_told_and_the_others_go_on() -> None:
    rules = [scaling_rule(name) for name in ("sovit", "d")]
    found, refused = compare_rules(network("regnety_008"), rules, (2.0,), cost)
    assert [each.rule for each in found] == ["d"]
    (left,) = refused
    assert (left.rule, left.factor) == ("sovit", 2.0)
    assert "does not fit family 'regnet'" in left.reason
