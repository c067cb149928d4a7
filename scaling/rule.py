"""Scaling rules: what one is, where they register, how one is found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scaling.apply import UNIFORM, Shape, scale_blueprint
from scaling.factors import Factors, check_factor, predicted_growth
from scaling.quantise import Rounding
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.registry import Registry


class ScalingRule(Protocol):
    """Makes a blueprint about ``factor`` times as costly in MACs; 1 gives the blueprint itself."""

    @property
    def name(self) -> str:
        """The name that results are stored under."""
        ...

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the scaled blueprint; UsageError where ``check_factor`` refuses ``factor`` or the rule can't apply."""
        ...


@dataclass(frozen=True, slots=True)
class CompoundRule:
    """A rule that multiplies depth, width, resolution and group width by functions of the factor.

    Attributes:
        name: the name that results are stored under.
        factors: maps the factor asked for to the four factors.
        rounding: how widths and depths are rounded.
    """

    name: str
    factors: Callable[[float], Factors]
    rounding: Rounding

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the scaled blueprint; UsageError where ``check_factor`` refuses ``factor``."""
        check_factor(factor)
        return multiplied(blueprint, self.name, factor, self.factors(factor), self.rounding)


def multiplied(
    blueprint: Blueprint, rule: str, factor: float, factors: Factors, rounding: Rounding, shape: Shape = UNIFORM
) -> ScaledBlueprint:
    """Return ``blueprint`` scaled by ``factors``, with the growth that their laws predict."""
    scaled = scale_blueprint(blueprint, factors, rounding, shape)
    return ScaledBlueprint(scaled, rule, factor, factors, predicted_growth(factors))


def does_not_fit(rule: str, blueprint: Blueprint, reason: str) -> UsageError:
    """Return the error of a rule that has nothing to scale in a network: ``reason`` says what it needs."""
    return UsageError(f"rule {rule!r} does not fit family {blueprint.family!r}: {reason}")


RULES: Registry[ScalingRule] = Registry("scaling rule", "scaling.rules")
RULE_MAKERS: Registry[Callable[[str], ScalingRule]] = Registry("scaling rule with an argument", "scaling.rules")
"""Rules written ``NAME:ARGUMENT``: what makes one from its argument."""


def scaling_rule(name: str) -> ScalingRule:
    """Return the rule of a registered name, of weights such as ``d1_w8_g8_r1``, or of ``NAME:ARGUMENT``.

    Raises:
        UsageError: unknown name, or weights or an argument that can't be read.
    """
    from scaling.rules.fast import fast_rule, has_weights

    maker, colon, argument = name.partition(":")
    if colon:
        return RULE_MAKERS.get(maker)(argument)
    if name in RULE_MAKERS.names() and name not in RULES.names():
        raise UsageError(f"rule {name!r} is made from an argument: write {name}:ARGUMENT")
    return fast_rule(name) if has_weights(name) else RULES.get(name)
