"""Bounds on latency held against what was measured: how many of the chosen networks keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.search.objectives import Objective
from predictors.measurement import Measurement
from predictors.target import parse_target

if TYPE_CHECKING:
    from experiments.stages.fronts import Candidate


@dataclass(frozen=True)
class BoundCheck:
    """One latency bound, and what the chosen networks really take.

    Attributes:
        target: canonical name. upper_ms: the bound.
        measured_ms: by label, of the chosen networks that were timed there.
    """

    target: str
    upper_ms: float
    measured_ms: dict[str, float]

    @property
    def met(self) -> list[str]:
        """The labels of the networks within the bound."""
        return [label for label, value in self.measured_ms.items() if value <= self.upper_ms]

    @property
    def sentence(self) -> str:
        """What a report says of it."""
        if not self.measured_ms:
            return f"The bound of {self.upper_ms:g} ms on {self.target} was not held against a measurement."
        broken = [f"{label} {self.measured_ms[label]:.4g} ms" for label in self.measured_ms if label not in self.met]
        over = f"; over it: {', '.join(broken)}" if broken else ""
        return (
            f"{len(self.met)} of {len(self.measured_ms)} chosen networks met the bound of {self.upper_ms:g} ms on "
            f"{self.target} when measured{over}."
        )


def check_bounds(objectives: Sequence[Objective], chosen: Sequence[Candidate]) -> list[BoundCheck]:
    """Return one check for each objective that is a latency with an upper bound."""
    checks = []
    for objective in objectives:
        if objective.target and objective.upper is not None:
            name = parse_target(objective.target).text
            timed = {each.label: each.measured[name].value for each in chosen if name in each.measured}
            checks.append(BoundCheck(name, objective.upper, timed))
    return checks


def breaks_bound(objectives: Sequence[Objective], measured: Mapping[str, Measurement]) -> bool:
    """Return whether a measured latency, by target name, is above its bound; what was not measured breaks none."""
    for objective in objectives:
        if objective.target and objective.upper is not None:
            found = measured.get(parse_target(objective.target).text)
            if found is not None and found.value > objective.upper:
                return True
    return False
