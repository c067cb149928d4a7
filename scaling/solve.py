"""From the growth that a person asks for to the blueprint that achieves it.

Stem, head and rounding keep a rule from achieving its factor, and a small factor may round to nothing: ``scale`` says
so, ``solve`` searches the factor that achieves what was asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scaling.factors import LARGEST_FACTOR, Growth, check_factor
from scaling.rule import ScalingRule
from scaling.scaled import ScaledBlueprint, achieved
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layers import Cost

BISECTIONS = 30
LARGEST_EXPONENT = math.log(LARGEST_FACTOR) * (1 - 1e-9)


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


def scale(rule: ScalingRule, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
    """Return ``rule(blueprint, factor)``.

    Raises:
        UsageError: ``factor`` is refused, or rounds to no change; the nearest that changes is named.
    """
    scaled = rule(blueprint, factor)
    if factor != 1 and scaled.blueprint == blueprint:
        raise UsageError(_no_change(rule, factor, nearest_change(rule, blueprint, factor)))
    return scaled


def nearest_change(rule: ScalingRule, blueprint: Blueprint, factor: float) -> float | None:
    """Return the first factor beyond ``factor``, away from 1, that changes the blueprint; None if none does.

    ``factor`` must not be 1 and must change nothing. The result is rounded away from 1, to 3 digits or more.
    """
    direction = 1.0 if factor > 1 else -1.0

    def changed(exponent: float) -> bool:
        return rule(blueprint, math.exp(direction * exponent)).blueprint != blueprint

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


def solve(rule: ScalingRule, blueprint: Blueprint, factor: float, cost: Callable[[Blueprint], Cost]) -> Solution:
    """Return the blueprint whose counted MACs are nearest to ``factor`` times those of ``blueprint``.

    Bisection over the rule's own factor, on a logarithmic scale; ``cost`` counts one blueprint.

    Raises:
        UsageError: ``factor`` is refused, is out of the rule's reach, or lies nearer to no change than to the first
            change, which is named.
    """
    check_factor(factor)
    base = cost(blueprint)

    def attempt(rule_factor: float) -> Solution:
        scaled = rule(blueprint, rule_factor)
        return Solution(factor, scaled, achieved(base, cost(scaled.blueprint)))

    if factor == 1:
        return attempt(1.0)
    tried = list(_bracket(rule, attempt, factor))
    below, above = sorted(math.log(solution.scaled.factor_asked) for solution in tried)
    for _ in range(BISECTIONS):
        middle = (below + above) / 2
        tried.append(attempt(math.exp(middle)))
        if tried[-1].achieved.macs < factor:
            below = middle
        else:
            above = middle
    best = min(tried, key=lambda solution: abs(math.log(solution.achieved.macs / factor)))
    if best.scaled.blueprint == blueprint:
        changed = [solution for solution in tried if solution.scaled.blueprint != blueprint]
        nearest = min(changed, key=lambda solution: abs(math.log(solution.achieved.macs / factor)))
        raise UsageError(_no_change(rule, factor, round(nearest.achieved.macs, 4)))
    return best


def _bracket(rule: ScalingRule, attempt: Callable[[float], Solution], factor: float) -> tuple[Solution, Solution]:
    """Return no change, and the first of growing (or shrinking) rule factors that reaches the asked growth of MACs."""
    direction = 1.0 if factor > 1 else -1.0
    for exponent in _exponents(abs(math.log(factor))):
        reached = attempt(math.exp(direction * exponent))
        if direction * (reached.achieved.macs - factor) >= 0:
            return attempt(1.0), reached
    raise UsageError(
        f"rule {rule.name!r} can't scale MACs by {factor:g}: the furthest it reaches is {reached.achieved.macs:.4g}"
    )
