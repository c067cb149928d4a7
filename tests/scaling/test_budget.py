import pytest

from scaling.budget import Budget, measure_of, parse_budget
from scaling.rule import scaling_rule
from scaling.solve import solve_budget
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.networks import network

BASE = "regnety_008"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("macs=4e9", Budget("macs", 4e9)),
        ("latency_ms=3", Budget("latency_ms", 3)),
        ("memory_bytes=1e8", Budget("peak_memory_bytes", 1e8)),
        ("params=5e6", Budget("params", 5e6)),
    ],
)
def test_a_budget_is_read(text: str, expected: Budget) -> None:
    assert parse_budget(text) == expected


@pytest.mark.parametrize("text", ["macs", "macs=", "macs=ten", "macs=0", "macs=-1", "macs=inf", "macs=nan"])
def test_limits_are_positive_numbers(text: str) -> None:
    with pytest.raises(UsageError, match=rf"budget '{text}': give a positive number, as macs=4e9"):
        parse_budget(text)


def test_an_unknown_quantity_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"unknown quantity of a budget 'mac': did you mean 'macs'\? allowed: act"):
        parse_budget("mac=3")


@pytest.mark.parametrize("name", ["fast", "dwr", "efficientnet", "resnet_rs"])
@pytest.mark.parametrize(
    ("quantity", "share"),
    [("macs", 3.0), ("macs", 0.4), ("params", 3.0), ("activations", 2.0), ("peak_memory_bytes", 1.5)],
)
def test_the_budget_is_used_and_never_exceeded(name: str, quantity: str, share: float) -> None:
    base = network(BASE)
    budget = Budget(quantity, share * getattr(cost(base), quantity))
    found = solve_budget(scaling_rule(name), base, budget.limit, measure_of(budget, cost, None))
    assert found.used == getattr(cost(found.scaled.blueprint), quantity)
    assert 0.8 * budget.limit < found.used <= budget.limit


def test_a_budget_of_milliseconds_takes_any_model_of_latency() -> None:
    def made_up_ms(blueprint: Blueprint) -> float:
        return cost(blueprint).activations / 1e6

    base = network(BASE)
    budget = Budget("latency_ms", 2 * made_up_ms(base))
    found = solve_budget(scaling_rule("fast"), base, budget.limit, measure_of(budget, cost, made_up_ms))
    assert 0.9 * budget.limit < found.used <= budget.limit
    with pytest.raises(UsageError, match="a budget of latency_ms needs a target: give --target"):
        measure_of(budget, cost, None)


def test_several_scales_have_no_latency_model() -> None:
    measure = measure_of(Budget("latency_ms", 3), cost, lambda _: 1.0)
    with pytest.raises(UsageError, match=r"several scales \(1, 2\) is not modelled"):
        measure(scaling_rule("s2")(network(BASE), 5))


def test_scales_of_the_input_by_budget() -> None:
    base = network(BASE)
    budget = Budget("macs", 6 * cost(base).macs)
    assert solve_budget(scaling_rule("s2"), base, budget.limit, measure_of(budget, cost, None)).scaled.scales == (1, 2)


def test_a_budget_out_of_reach_says_how_far_the_rule_comes() -> None:
    base = network(BASE)
    measure = measure_of(Budget("params", 1), cost, None)
    with pytest.raises(UsageError, match=r"rule 'r' can't reach 1 from 6263168: the furthest it reaches is 6263168"):
        solve_budget(scaling_rule("r"), base, 1, lambda scaled: float(cost(scaled.blueprint).params))
    with pytest.raises(UsageError, match=r"rule 'd' finds no larger network within .* the next takes"):
        solve_budget(scaling_rule("d"), base, 1.001 * cost(base).params, measure)
    with pytest.raises(UsageError, match="a budget of 0 is not possible"):
        solve_budget(scaling_rule("d"), base, 0, measure)
