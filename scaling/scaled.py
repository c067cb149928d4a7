"""What a rule gives back, what it costs, and how far the counted cost really grew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from scaling.factors import Factors, Growth
from search_spaces.blueprint import Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.layers import Cost

Count = Callable[[Blueprint], Cost]


@dataclass(frozen=True, slots=True)
class ScaledBlueprint:
    """A blueprint made by a rule.

    Attributes:
        blueprint: the scaled one.
        rule: name of the rule.
        factor_asked: growth of MACs that the rule was asked for.
        factors: what it multiplied each dimension by, before rounding.
        predicted: growth by the rule's laws, before rounding; not a count.
        details: what else it multiplied or set, by name, as ``mlp`` or ``patch``.
        scales: multiples of the image's sides that the network sees, one after another (``rules.scales``).
    """

    blueprint: Blueprint
    rule: str
    factor_asked: float
    factors: Factors
    predicted: Growth
    details: tuple[tuple[str, float], ...] = ()
    scales: tuple[int, ...] = (1,)

    def cost(self, count: Count) -> Cost:
        """Return what ``count`` counts of the network, at all its scales."""
        return count(self.blueprint) if self.scales == (1,) else _at_scales(self.blueprint, self.scales, count)


def _at_scales(blueprint: Blueprint, scales: tuple[int, ...], count: Count) -> Cost:
    """Return the cost of a network run on every tile of every scale, with a head for all their channels."""
    whole, head = count(blueprint), count(head_alone(blueprint, 1))
    wide, tiles = count(head_alone(blueprint, len(scales))), sum(scale**2 for scale in scales)
    return Cost(
        params=whole.params - head.params + wide.params,
        macs=tiles * (whole.macs - head.macs) + wide.macs,
        activations=tiles * (whole.activations - head.activations) + wide.activations,
        peak_memory_bytes=whole.peak_memory_bytes + 4 * (wide.params - head.params),
    )


def head_alone(blueprint: Blueprint, times: int) -> Blueprint:
    """Return the head on a map of ``times`` the channels of the one that it stands on.

    Raises:
        UsageError: the head reads several maps.
    """
    head = list(blueprint.placed())[-1]
    if head.levels:
        raise UsageError(f"scales of one network take a head that reads the last map alone: {head.kind} reads several")
    width = times * head.in_width
    empty = Stage("stem", width, ())
    return replace(blueprint, in_channels=width, resolution=head.in_size, stem=empty, stages=())


def achieved(base_cost: Cost, scaled_cost: Cost) -> Growth:
    """Return how many times the counted cost grew, both counted by one rule."""
    return Growth(
        macs=scaled_cost.macs / base_cost.macs,
        params=scaled_cost.params / base_cost.params,
        activations=scaled_cost.activations / base_cost.activations,
    )
