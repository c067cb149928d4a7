"""Objectives: what a search minimises or maximises, and the bounds that an answer must keep.

The direction is flipped here and nowhere else: algorithms, fronts and hypervolumes see minimised values.
Values are arrays (n, num_objectives) in natural units, columns in the order of the objectives; NaN is "not known or
failed" and is passed on, never replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FiniteFloat, field_validator, model_validator

from nas.tasks import metrics
from search_spaces.errors import UsageError, unknown

Values = NDArray[np.float64]
Direction = Literal["min", "max"]

_COSTS: dict[str, tuple[Direction, str]] = {
    "activations": ("min", "count"),
    "energy_mj@TARGET": ("min", "mJ"),
    "latency_ms@TARGET": ("min", "ms"),
    "latency_p95_ms@TARGET": ("min", "ms"),
    "macs": ("min", "count"),
    "params": ("min", "count"),
    "peak_memory_bytes": ("min", "bytes"),
    "size_bytes": ("min", "bytes"),
}
ON_TARGETS = tuple(name.partition("@")[0] for name in _COSTS if "@" in name)
"""Quantities that differ by target."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One quantity to optimise, with optional bounds on it.

    Attributes:
        name: ``accuracy``, ``macs``, ``latency_ms@h100:bf16:b32``, ...
        direction: whether less or more is better.
        unit: of the values and of both bounds.
        lower: the least value that an answer may have, or None.
        upper: the largest value that an answer may have, or None.
        best: of a task's metric, which takes a trained network to know: the value that could not be better; else None.
    """

    name: str
    direction: Direction
    unit: str
    lower: float | None = None
    upper: float | None = None
    best: float | None = None

    @property
    def is_metric(self) -> bool:
        """Whether it is the metric of a task, and no cost."""
        return self.best is not None

    @property
    def quantity(self) -> str:
        """What is optimised, whatever the target (what stands before ``@``)."""
        return self.name.partition("@")[0]

    @property
    def target(self) -> str:
        """The target that a latency or an energy is on (what follows ``@``), or ""."""
        return self.name.partition("@")[2]

    def bounds(self) -> list[tuple[str, float]]:
        """Return the bounds that are set, as (">=" or "<=", bound), lower first."""
        pairs = ((">=", self.lower), ("<=", self.upper))
        return [(sign, bound) for sign, bound in pairs if bound is not None]

    def describe(self, value: float) -> str:
        """Return ``value`` with name and unit, as a person reads it."""
        return f"{self.name} {value:.6g}" + ("" if self.unit == "count" else f" {self.unit}")


def make_objective(name: str, lower: float | None = None, upper: float | None = None) -> Objective:
    """Return the objective called ``name``; direction and unit follow from the name.

    Raises:
        UsageError: the name is unknown, a latency names no target, lower is above upper, or no network can keep a
            bound.
    """
    quantity, _, target = name.partition("@")
    kind = f"{quantity}@TARGET" if target else name
    of_tasks = metrics()
    if kind not in {*_COSTS, *of_tasks} or target == "TARGET":
        raise unknown("objective", name, sorted({*_COSTS, *of_tasks}))
    if lower is not None and upper is not None and lower > upper:
        raise UsageError(f"objective {name!r} got lower {lower:g} above upper {upper:g}: swap them or drop one")
    if kind in of_tasks:
        metric = of_tasks[kind]
        found = Objective(name, metric.direction, metric.unit, lower, upper, metric.best)
    else:
        direction, unit = _COSTS[kind]
        found = Objective(name, direction, unit, lower, upper)
    _check_bounds(found)
    return found


def _check_bounds(objective: Objective) -> None:
    """Refuse a bound that no network can keep, whatever it is."""
    name, lower, upper, best = objective.name, objective.lower, objective.upper, objective.best
    if lower is not None and objective.direction == "max" and best is not None and lower > best:
        raise UsageError(
            f"objective {name!r} got lower {lower:g}: no network has more than {best:g} {objective.unit}: lower it"
        )
    # A share of 0 and an error of 0 can be; decibels may be below 0.
    has_least = best is None or objective.unit == "%" or objective.direction == "min"
    if upper is not None and has_least and (upper < 0.0 or (upper == 0.0 and best is None)):
        raise UsageError(f"objective {name!r} got upper {upper:g}: no network has so little: raise it above 0")


def metric_column(objectives: Sequence[Objective]) -> int:
    """Return the column of the task's metric."""
    return next(column for column, objective in enumerate(objectives) if objective.is_metric)


class ObjectiveConfig(BaseModel):
    """An objective as the configuration gives it: a name alone, or a table with bounds in natural units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    lower: FiniteFloat | None = None
    upper: FiniteFloat | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: object) -> object:
        return {"name": given} if isinstance(given, str) else given

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        # A ValueError, so that pydantic reports it with the path of the key.
        try:
            return make_objective(name).name
        except UsageError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _ordered(self) -> ObjectiveConfig:
        try:
            self.objective()
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self

    def objective(self) -> Objective:
        """Return the objective that this describes."""
        return make_objective(self.name, self.lower, self.upper)


def make_objectives(configs: Sequence[ObjectiveConfig]) -> tuple[Objective, ...]:
    """Return the objectives in the order given, which is the order of columns everywhere.

    Raises:
        UsageError: there is none, or one is named twice.
    """
    names = [config.name for config in configs]
    if not names:
        raise UsageError(f"no objective is given: name at least one of {', '.join(sorted({*_COSTS, *metrics()}))}")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"objective {name!r} is given twice: keep one of them")
    return tuple(config.objective() for config in configs)


def fronts_of(objectives: Sequence[Objective]) -> list[list[int]]:
    """Return the columns of each front: for every target, its own and those of no target; one of all without two."""
    by_target: dict[str, list[int]] = {}
    for column, objective in enumerate(objectives):
        by_target.setdefault(objective.target, []).append(column)
    others = by_target.pop("", [])
    if len(by_target) < 2:
        return [list(range(len(objectives)))]
    return [[*others, *columns] for columns in by_target.values()]


def to_minimised(values: Values, objectives: Sequence[Objective]) -> Values:
    """Return ``values`` (..., num_objectives) with maximised columns negated; its own inverse."""
    signs = np.array([1.0 if objective.direction == "min" else -1.0 for objective in objectives])
    # Adding 0.0 turns -0.0 into 0.0, which would else print as a negative number.
    flipped: Values = np.asarray(values, dtype=np.float64) * signs + 0.0
    return flipped


def violations(values: Values, objectives: Sequence[Objective]) -> Values:
    """Return by how much each bound is broken, (n, num_bounds): positive is violated, NaN is not known.

    Columns follow the objectives, lower bound before upper. An excess is divided by the size of its bound (by one
    unit where the bound is 0), so that bounds in different units can be added.
    """
    values = np.asarray(values, dtype=np.float64)
    columns = []
    for column, objective in enumerate(objectives):
        for sign, bound in objective.bounds():
            excess = values[:, column] - bound if sign == "<=" else bound - values[:, column]
            columns.append(excess / (abs(bound) or 1.0))
    return np.stack(columns, axis=1) if columns else np.zeros((len(values), 0))


def total_violation(values: Values, objectives: Sequence[Objective]) -> Values:
    """Return the sum of the known broken bounds of each row, (n,): 0 when no known value breaks one."""
    total: Values = np.fmax(violations(values, objectives), 0.0).sum(axis=1)
    return total


def is_feasible(values: Values, objectives: Sequence[Objective]) -> NDArray[np.bool_]:
    """Return which rows have every value finite and break no bound, (n,)."""
    feasible: NDArray[np.bool_] = np.isfinite(values).all(axis=1) & (total_violation(values, objectives) == 0.0)
    return feasible
