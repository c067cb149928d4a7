"""RegNet's quantised line: the line of widths grows, depth stays (Radosavovic et al. 2020, section 3.3 and figure 11).

A network on a line has block j of width w_0 + w_a j, quantised to w_0 w_m^k. The best networks of every regime of MACs
have about 20 blocks and one w_m, so w_0, w_a and the group width grow by the square root of the factor, and widths are
quantised again from the line, not from widths that were rounded already.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from scaling.factors import Factors, check_factor, predicted_growth
from scaling.quantise import round_group_width
from scaling.rule import RULES, does_not_fit
from scaling.scaled import ScaledBlueprint
from search_spaces.blueprint import Blueprint, Stage
from search_spaces.spaces.regnet import Line

Stages = tuple[tuple[int, int, int], ...]
"""(depth, width, group width) of each stage."""
NEED = "its stages are on no line of growing widths with one group width and bottleneck 1: give a RegNet"


@dataclass(frozen=True, slots=True)
class RegNetRule:
    """The rule: it needs grouped convolutions without bottleneck, in stages whose widths are on a line."""

    name: str = "regnet"

    def __call__(self, blueprint: Blueprint, factor: float) -> ScaledBlueprint:
        """Return the network of the larger line; UsageError where the given one is on none."""
        check_factor(factor)
        numbers = tuple(_numbers(stage) for stage in blueprint.stages)
        line = None if None in numbers else line_of(tuple(filter(None, numbers)))
        if line is None:
            raise does_not_fit(self.name, blueprint, NEED)
        width = math.sqrt(factor)
        factors = Factors(1.0, width, 1.0, width)
        scaled = blueprint if factor == 1 else _on(larger(line, width), blueprint)
        return ScaledBlueprint(scaled, self.name, factor, factors, predicted_growth(factors))


def larger(line: Line, width: float) -> Line:
    """Return ``line`` with widths and group width times ``width``; its blocks keep their stages."""
    initial = max(8, round(line.initial_width * width))
    return replace(
        line,
        initial_width=initial,
        slope=line.slope * initial / line.initial_width,
        group_width=round_group_width(line.group_width, width),
    )


def _numbers(stage: Stage) -> tuple[int, int, int] | None:
    found = {(block.get("group_width", 0), block.get("bottleneck", 0)) for block in stage.blocks}
    group_width, bottleneck = found.pop()
    return None if found or bottleneck != 1 or not group_width else (stage.depth, stage.width, int(group_width))


def _on(line: Line, blueprint: Blueprint) -> Blueprint:
    stages = tuple(
        Stage(stage.name, width, tuple(block.replace(group_width=group_width) for block in stage.blocks))
        for stage, (_, width, group_width) in zip(blueprint.stages, line.stages(), strict=True)
    )
    return replace(blueprint, stages=stages)


@lru_cache(maxsize=1 << 12)
def line_of(stages: Stages) -> Line | None:
    """Return a line whose stages are ``stages``, one level of w_m each; None where there is none."""
    group_width = max(group for _, _, group in stages)
    for initial in _initial_widths(stages[0][1], group_width):
        for multiplier in _multipliers(stages, initial, group_width):
            slope = _slope([depth for depth, _, _ in stages], initial, multiplier)
            if slope is None:
                continue
            line = Line(sum(depth for depth, _, _ in stages), initial, slope, multiplier, group_width)
            if tuple(line.stages()) == stages:
                return line
    return None


def _initial_widths(width: int, group_width: int) -> Iterator[int]:
    """Yield the multiples of 8 that may round to the first stage's width, nearest first."""
    reach = group_width // 2 + 8
    candidates = range(max(8, width - reach) // 8 * 8, width + reach + 1, 8)
    yield from sorted(candidates, key=lambda initial: (abs(initial - width), initial))


def _multipliers(stages: Stages, initial: int, group_width: int) -> Iterator[float]:
    """Yield w_m from the interval in which every stage's width rounds as it does."""
    slack = group_width / 2 + 4
    lowest, highest = 1.0, math.inf
    for level, (_, width, _) in enumerate(stages[1:], start=1):
        lowest = max(lowest, (max(1.0, width - slack) / initial) ** (1 / level))
        highest = min(highest, ((width + slack) / initial) ** (1 / level))
    if lowest < highest < math.inf:
        yield from (lowest + (highest - lowest) * part for part in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9))


def _slope(depths: list[int], initial: int, multiplier: float) -> float | None:
    """Return a w_a that changes level exactly where the stages do; None where there is none."""
    lowest, highest, blocks = 0.0, math.inf, 0
    for level, depth in enumerate(depths):
        blocks += depth
        rise = initial * (multiplier ** (level + 0.5) - 1)
        highest = min(highest, rise / (blocks - 1) if blocks > 1 else math.inf)
        if level < len(depths) - 1:
            lowest = max(lowest, rise / blocks)
    return (lowest + highest) / 2 if lowest < highest < math.inf else None


RULES.register("regnet")(RegNetRule())
