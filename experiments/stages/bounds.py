"""Bounds on latency and energy held against what was measured: how many of the chosen networks keep them."""

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
    """One bound on a latency or an energy, and what the chosen networks really take.

    Attributes:
        quantity: what is bounded. target: canonical name. upper: the bound, in ``unit``.
        measured: by label, of the chosen networks that were timed there.
    """

    quantity: str
    target: str
    upper: float
    unit: str
    measured: dict[str, float]

    @property
    def met(self) -> list[str]:
        """The labels of the networks within the bound."""
        return [label for label, value in self.measured.items() if value <= self.upper]

    @property
    def sentence(self) -> str:
        """What a report says of it."""
        what = "" if self.quantity == "latency_ms" else f" ({self.quantity})"
        bound = f"bound of {self.upper:g} {self.unit} on {self.target}{what}"
        if not self.measured:
            return f"The {bound} was not held against a measurement."
        broken = [f"{label} {self.measured[label]:.4g} {self.unit}" for label in self.measured if label not in self.met]
        over = f"; over it: {', '.join(broken)}" if broken else ""
        return f"{len(self.met)} of {len(self.measured)} chosen networks met the {bound} when measured{over}."


def check_bounds(objectives: Sequence[Objective], chosen: Sequence[Candidate]) -> list[BoundCheck]:
    """Return one check for each objective on a target with an upper bound."""
    checks = []
    for objective in objectives:
        if objective.target and objective.upper is not None:
            timed = {each.label: each.timed.get(canonical(objective)) for each in chosen}
            known = {label: found.value for label, found in timed.items() if found is not None}
            target = parse_target(objective.target).text
            checks.append(BoundCheck(objective.quantity, target, objective.upper, objective.unit, known))
    return checks


def breaks_bound(objectives: Sequence[Objective], timed: Mapping[str, Measurement]) -> bool:
    """Return whether what was measured, by ``canonical`` name, is above its bound; what was not breaks none."""
    for objective in objectives:
        if objective.target and objective.upper is not None:
            found = timed.get(canonical(objective))
            if found is not None and found.value > objective.upper:
                return True
    return False


def canonical(objective: Objective) -> str:
    """Return ``QUANTITY@TARGET`` with the target's canonical name."""
    return f"{objective.quantity}@{parse_target(objective.target).text}"
