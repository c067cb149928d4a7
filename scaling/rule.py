"""Scaling rules: what one is, where they register, how one is found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scaling.apply import scale_blueprint
from scaling.factors import Factors, check_factor, predicted_growth
from scaling.quantise import Rounding
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint
from search_spaces.registry import Registry


class ScalingRule(Protocol):
    """Makes a blueprint about ``factor`` times as costly in MACs; 1 gives the blueprint itself."""

    @property
    def name(self) -> str:
        """The name that results are stored under."""
        ...

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the scaled blueprint; UsageError where ``check_factor`` refuses ``factor``."""
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
        factors = self.factors(factor)
        scaled = scale_blueprint(blueprint, factors, self.rounding)
        return ScaledBlueprint(scaled, self.name, factor, factors, predicted_growth(factors))


RULES: Registry[ScalingRule] = Registry("scaling rule", "scaling.rules")


def scaling_rule(name: str) -> ScalingRule:
    """Return the rule of a registered name, or of weights such as ``d1_w8_g8_r1``.

    Raises:
        UsageError: unknown name, or weights that can't be read.
    """
    from scaling.rules.fast import fast_rule, has_weights

    return fast_rule(name) if has_weights(name) else RULES.get(name)
