"""Rules compared from one base at equal achieved growth of MACs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaling.factors import Growth
from scaling.rule import ScalingRule
from scaling.scaled import Count, ScaledBlueprint
from scaling.solve import solve
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layers import Cost


@dataclass(frozen=True, slots=True)
class Compared:
    """One rule at one factor.

    Attributes:
        rule: its name.
        factor: growth of MACs that was asked of every rule.
        scaled: what the rule gave when it was solved for that growth.
        cost: of it, counted.
        achieved: growth of the counted cost; rounding keeps it from being ``factor``.
    """

    rule: str
    factor: float
    scaled: ScaledBlueprint
    cost: Cost
    achieved: Growth


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule that can't reach a factor from the base, and why."""

    rule: str
    factor: float
    reason: str


def compare_rules(
    base: Blueprint, rules: Sequence[ScalingRule], factors: Sequence[float], count: Count
) -> tuple[list[Compared], list[Refused]]:
    """Return each rule at each factor, solved for the achieved MACs, and what could not be.

    Args:
        base: what all rules start from.
        rules: by which it is scaled.
        factors: of its MACs, none of them 1.
        count: counts one blueprint.
    """
    found: list[Compared] = []
    refused: list[Refused] = []
    for rule in rules:
        for factor in factors:
            try:
                solution = solve(rule, base, factor, count)
            except UsageError as error:
                refused.append(Refused(rule.name, factor, str(error)))
                continue
            scaled = solution.scaled
            found.append(Compared(rule.name, factor, scaled, scaled.cost(count), solution.achieved))
    return found, refused
