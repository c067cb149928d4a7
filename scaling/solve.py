"""From what a person asks for, a growth or a budget, to the blueprint that achieves it.

Stem, head and rounding keep a rule from achieving its factor, and a small factor may round to nothing: ``scale`` says
so, ``solve`` searches the factor that achieves what was asked, ``solve_budget`` the largest that stays within it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from scaling.factors import LARGEST_FACTOR, Growth, check_factor
from scaling.rule import ScalingRule, does_not_fit
from scaling.scaled import Count, ScaledBlueprint, achieved
from search_spaces.block import network_layers
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.precision import with_layers_counted

BISECTIONS = 30
LARGEST_EXPONENT = math.log(LARGEST_FACTOR) * (1 - 1e-9)

Measure = Callable[[ScaledBlueprint], float]


@dataclass(frozen=True, slots=True)
class Solution:
    """A scaled blueprint whose counted MACs are as near as rounding lets them to the growth asked for.

    Attributes:
        factor_asked: growth of MACs that was asked for.
        scaled: the blueprint; its own ``factor_asked`` is the one that the rule had to be given.
        achieved: growth of the counted cost.
    """

    factor_asked: float
    scaled: ScaledBlueprint
    achieved: Growth


@dataclass(frozen=True, slots=True)
class WithinBudget:
    """The scaled blueprint that uses most of a budget without exceeding it.

    Attributes:
        budget: what was allowed.
        scaled: the blueprint; its own ``factor_asked`` is the one that the rule had to be given.
        used: what it takes, in the budget's unit.
    """

    budget: float
    scaled: ScaledBlueprint
    used: float


def scale(rule: ScalingRule, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
    """Return ``rule(blueprint, factor)``.

    Raises:
        UsageError: ``factor`` is refused, or rounds to no change (the nearest that changes is named); the rule does not
            fit the family, or gives a network whose blocks can't stand.
    """
    scaled = _applied(rule, blueprint, factor)
    if factor != 1 and _unchanged(scaled, blueprint):
        raise UsageError(_no_change(rule, factor, nearest_change(rule, blueprint, factor)))
    _fitting(rule, blueprint, lambda: sum(1 for _ in network_layers(scaled.blueprint)))
    return scaled


def _applied(rule: ScalingRule, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
    scaled = rule(blueprint, factor)
    return replace(scaled, blueprint=with_layers_counted(scaled.blueprint))


def _unchanged(scaled: ScaledBlueprint, blueprint: Blueprint) -> bool:
    return scaled.blueprint == blueprint and scaled.scales == (1,)


def _fitting(rule: ScalingRule, blueprint: Blueprint, measured: Callable[[], float]) -> float:
    """Return what ``measured`` gives; its error says that the rule's network can't stand."""
    try:
        return measured()
    except UsageError as error:
        raise does_not_fit(rule.name, blueprint, str(error)) from None


def nearest_change(rule: ScalingRule, blueprint: Blueprint, factor: float) -> float | None:
    """Return the first factor beyond ``factor``, away from 1, that changes the blueprint; None if none does.

    ``factor`` must not be 1 and must change nothing. The result is rounded away from 1, to 3 digits or more.
    """
    direction = 1.0 if factor > 1 else -1.0

    def changed(exponent: float) -> bool:
        return not _unchanged(_applied(rule, blueprint, math.exp(direction * exponent)), blueprint)

    same = abs(math.log(factor))
    changing = next((exponent for exponent in _exponents(same) if changed(exponent)), None)
    if changing is None:
        return None
    for _ in range(BISECTIONS):
        middle = (same + changing) / 2
        if changed(middle):
            changing = middle
        else:
            same = middle
    return _readable(math.exp(direction * changing))


def _exponents(start: float) -> Iterator[float]:
    """Yield logarithms of factors: the larger of ``start`` and that of 2, doubled up to the largest that rules take."""
    exponent = max(start, math.log(2))
    while exponent < LARGEST_EXPONENT:
        yield exponent
        exponent *= 2
    yield LARGEST_EXPONENT


def _readable(factor: float) -> float:
    """Return ``factor`` in few digits, rounded away from 1."""
    return math.ceil(factor * 1000) / 1000 if factor > 1 else math.floor(factor * 10000) / 10000


def _no_change(rule: ScalingRule, factor: float, nearest: float | None) -> str:
    hint = "no factor on that side changes it" if nearest is None else f"the nearest that changes it is {nearest:g}"
    return f"scaling by {factor:g} with rule {rule.name!r} rounds back to the same network: {hint}"


def solve(rule: ScalingRule, blueprint: Blueprint, factor: float, cost: Count) -> Solution:
    """Return the blueprint whose counted MACs are nearest to ``factor`` times those of ``blueprint``.

    Bisection over the rule's own factor, on a logarithmic scale; ``cost`` counts one blueprint.

    Raises:
        UsageError: ``factor`` is refused, is out of the rule's reach, or lies nearer to no change than to the first
            change, which is named; the rule does not fit the family.
    """
    check_factor(factor)
    base = cost(blueprint)

    def growth(scaled: ScaledBlueprint) -> float:
        return scaled.cost(cost).macs / base.macs

    def distance(found: tuple[ScaledBlueprint, float]) -> float:
        return abs(math.log(found[1] / factor))

    tried = [(_applied(rule, blueprint, 1.0), 1.0)] if factor == 1 else _search(rule, blueprint, growth, factor)
    best, _ = min(tried, key=distance)
    if factor != 1 and _unchanged(best, blueprint):
        nearest = min((found for found in tried if not _unchanged(found[0], blueprint)), key=distance)
        raise UsageError(_no_change(rule, factor, round(nearest[1], 4)))
    return Solution(factor, best, achieved(base, best.cost(cost)))


def solve_budget(rule: ScalingRule, blueprint: Blueprint, budget: float, measure: Measure) -> WithinBudget:
    """Return the blueprint that takes most of ``budget`` without exceeding it.

    Args:
        rule: how to scale.
        blueprint: what to scale, up or down.
        budget: the most that is allowed, in the unit of ``measure``.
        measure: what a scaled network takes: a count, or milliseconds.

    Raises:
        UsageError: the budget is not positive, is out of the rule's reach, or no change of the network comes nearer.
    """
    if not (budget > 0 and math.isfinite(budget)):
        raise UsageError(f"a budget of {budget:g} is not possible: give a positive number")
    tried = _search(rule, blueprint, measure, budget)
    within = [found for found in tried if found[1] <= budget]
    if not within:
        least = min(value for _, value in tried)
        raise UsageError(f"rule {rule.name!r} can't come down to {budget:g}: the nearest that it found takes {least:g}")
    best, used = max(within, key=lambda found: found[1])
    if _unchanged(best, blueprint):
        more = min(value for _, value in tried if value > used)
        raise UsageError(
            f"rule {rule.name!r} finds no larger network within {budget:g} than the given one, which takes {used:g}: "
            f"the next takes {more:g}"
        )
    return WithinBudget(budget, best, used)


def _search(
    rule: ScalingRule, blueprint: Blueprint, measure: Measure, goal: float
) -> list[tuple[ScaledBlueprint, float]]:
    """Return what was tried, with its measure: the network itself, then factors ever nearer to ``goal``."""

    def attempt(exponent: float) -> tuple[ScaledBlueprint, float]:
        scaled = _applied(rule, blueprint, math.exp(exponent))
        return scaled, _fitting(rule, blueprint, lambda: measure(scaled))

    tried = [attempt(0.0)]
    base = tried[0][1]
    if base == goal:
        return tried
    direction = 1.0 if goal > base else -1.0
    for exponent in _exponents(abs(math.log(goal / base))):
        tried.append(attempt(direction * exponent))
        if direction * (tried[-1][1] - goal) >= 0:
            break
    else:
        raise UsageError(_out_of_reach(rule, goal, base, tried[-1][1]))
    below, above = sorted((0.0, direction * exponent))
    for _ in range(BISECTIONS):
        middle = (below + above) / 2
        tried.append(attempt(middle))
        below, above = (middle, above) if tried[-1][1] < goal else (below, middle)
    return tried


def _out_of_reach(rule: ScalingRule, goal: float, base: float, furthest: float) -> str:
    if base == 1:
        return f"rule {rule.name!r} can't scale MACs by {goal:g}: the furthest it reaches is {furthest:.4g}"
    return f"rule {rule.name!r} can't reach {goal:.8g} from {base:.8g}: the furthest it reaches is {furthest:.8g}"
