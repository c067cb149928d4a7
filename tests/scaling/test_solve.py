import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rules_anywhere import ANYWHERE

from scaling.rule import scaling_rule
from scaling.scaled import achieved
from scaling.solve import nearest_change, scale, solve
from search_spaces.block import cost, network_layers
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layer_names import layer_names
from search_spaces.precision import size_bytes, with_policy
from search_spaces.spaces import space


@pytest.mark.parametrize("name", ANYWHERE)
def test_solving_comes_nearer_than_the_rule_alone(name: str, mobile: Blueprint, toy_cost) -> None:
    rule = scaling_rule(name)
    solution = solve(rule, mobile, 6, toy_cost)
    plain = achieved(toy_cost(mobile), toy_cost(rule(mobile, 6).blueprint))
    assert solution.achieved == achieved(toy_cost(mobile), toy_cost(solution.scaled.blueprint))
    assert abs(solution.achieved.macs / 6 - 1) <= abs(plain.macs / 6 - 1) + 1e-9
    assert solution.scaled.blueprint == rule(mobile, solution.scaled.factor_asked).blueprint
    assert solution.factor_asked == 6


def test_solving_is_close_where_steps_are_small(mobile: Blueprint, transformer: Blueprint, toy_cost) -> None:
    for base in (mobile, transformer):
        assert solve(scaling_rule("fast"), base, 10, toy_cost).achieved.macs == pytest.approx(10, rel=0.12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.floats(0.2, 50))
def test_solving_either_answers_or_names_the_nearest(mobile: Blueprint, toy_cost, factor: float) -> None:
    rule = scaling_rule("dwr")
    try:
        solution = solve(rule, mobile, factor, toy_cost)
    except UsageError as error:
        nearest = float(re.findall(r"nearest that changes it is ([\d.]+)$", str(error))[0])
        assert solve(rule, mobile, nearest, toy_cost).achieved.macs == pytest.approx(nearest, rel=1e-3)
    else:
        assert 0.6 < solution.achieved.macs / factor < 1.7


@pytest.mark.parametrize("name", ["fast", "dwr", "efficientnet"])
@pytest.mark.parametrize("factor", [0.3, 0.5, 3.0])
def test_no_other_factor_comes_nearer(name: str, factor: float, transformer: Blueprint, toy_cost) -> None:
    rule, base = scaling_rule(name), toy_cost(transformer)

    def distance(macs: float) -> float:
        return abs(math.log(macs / factor))

    sweep = (rule(transformer, factor * 1.01**step).blueprint for step in range(-100, 100))
    nearest = min(distance(achieved(base, toy_cost(blueprint)).macs) for blueprint in sweep)
    solution = solve(rule, transformer, factor, toy_cost)
    assert distance(solution.achieved.macs) <= nearest + 1e-9
    assert (solution.scaled.factor_asked > 1) == (factor > 1)


def test_a_factor_of_one_is_the_network_itself(mobile: Blueprint, toy_cost) -> None:
    solution = solve(scaling_rule("fast"), mobile, 1, toy_cost)
    assert solution.scaled.blueprint == mobile
    assert solution.achieved.macs == 1


def test_out_of_reach_says_how_far_it_goes(mobile: Blueprint, toy_cost) -> None:
    with pytest.raises(UsageError, match=r"rule 'd' can't scale MACs by 0.01: the furthest it reaches is 0\.\d+$"):
        solve(scaling_rule("d"), mobile, 0.01, toy_cost)


@pytest.mark.parametrize("factor", [0, -3])
def test_impossible_factors_are_refused(factor: float, mobile: Blueprint, toy_cost) -> None:
    with pytest.raises(UsageError, match=rf"factor of {factor} is not possible"):
        solve(scaling_rule("fast"), mobile, factor, toy_cost)
    with pytest.raises(UsageError, match=rf"factor of {factor} is not possible"):
        scale(scaling_rule("fast"), mobile, factor)


@pytest.mark.parametrize("factor", [1.02, 0.99])
@pytest.mark.parametrize("name", ANYWHERE)
def test_rounding_to_no_change_names_the_nearest_that_changes(name: str, factor: float, mobile: Blueprint) -> None:
    rule = scaling_rule(name)
    if rule(mobile, factor).blueprint != mobile:
        assert scale(rule, mobile, factor).blueprint != mobile
        return
    with pytest.raises(UsageError, match=rf"by {factor} with rule '{name}' rounds back to the same network") as error:
        scale(rule, mobile, factor)
    nearest = float(str(error.value).rsplit(" ", 1)[1])
    assert (nearest > factor) == (factor > 1)
    assert scale(rule, mobile, nearest).blueprint != mobile
    assert nearest == nearest_change(rule, mobile, factor)


def test_a_network_that_can_shrink_no_further_says_so(mobile: Blueprint) -> None:
    smallest = scaling_rule("d")(mobile, 0.001).blueprint
    with pytest.raises(UsageError, match=r"no factor on that side changes it$"):
        scale(scaling_rule("d"), smallest, 0.5)


def test_scale_is_the_rule_where_it_changes_something(mobile: Blueprint) -> None:
    rule = scaling_rule("fast")
    assert scale(rule, mobile, 4) == rule(mobile, 4)
    assert scale(rule, mobile, 1).blueprint == mobile


def test_precisions_of_layers_are_kept_where_the_layers_are() -> None:
    """Repeated by depth, a stage's first block loses its shortcut's convolution, and with it the list of precisions."""
    family = space("resnet", form="small_image", in_channels=1, num_classes=10)
    plain = family.blueprint(family.smallest())
    precisions = {
        name: "int8" if number % 2 else "fp32"
        for number, name in enumerate(name for placed in plain.placed() for name in layer_names(placed))
    }
    mixed = with_policy(plain, precisions)
    depths = [stage.depth for stage in mixed.stages]
    found = solve(scaling_rule("efficientnet"), mixed, 8, cost).scaled.blueprint
    assert [stage.depth for stage in found.stages] > depths
    size_bytes(network_layers(found))
    for before, after in zip(mixed.stages, found.stages, strict=True):
        assert after.blocks[0].precision == before.blocks[0].precision
        assert {block.precision for block in after.blocks[1:]} == {"fp32"}
