"""What a rule gives back, and how far the counted cost really grew."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.factors import Factors, Growth
from search_spaces.blueprint import Blueprint
from search_spaces.layers import Cost


@dataclass(frozen=True, slots=True)
class ScaledBlueprint:
    """A blueprint made by a rule.

    Attributes:
        blueprint: the scaled one.
        rule: name of the rule.
        factor_asked: growth of MACs that the rule was asked for.
        factors: what it multiplied each dimension by, before rounding.
        predicted: growth by the rule's laws, before rounding; not a count.
    """

    blueprint: Blueprint
    rule: str
    factor_asked: float
    factors: Factors
    predicted: Growth


def achieved(base_cost: Cost, scaled_cost: Cost) -> Growth:
    """Return how many times the counted cost grew, both counted by one rule."""
    return Growth(
        macs=scaled_cost.macs / base_cost.macs,
        params=scaled_cost.params / base_cost.params,
        activations=scaled_cost.activations / base_cost.activations,
    )
