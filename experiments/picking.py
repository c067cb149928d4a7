"""One network of a finished search: the best within budgets, or the knee of the front."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.front_file import Row
from nas.search.objectives import Objective, make_objective
from nas.search.selection import best_under, knee_point
from nas.tasks import Metric, metrics
from search_spaces.errors import UsageError

COSTS = ("params", "macs", "activations", "peak_memory_bytes")


def pick(rows: Sequence[Row], best: str, under: Sequence[str], knee: str) -> dict[str, Any]:
    """Return the row that is best in objective ``best`` within the budgets, or the knee, and how it was chosen.

    Latencies are the measured ones of networks that were timed, and those that the search used of the others.

    Args:
        rows: of a front.json.
        best: an objective, as ``accuracy`` or ``latency_ms@t4:fp16:b1``; "" is the metric of the task.
        under: budgets, as ``latency_ms@t4:fp16:b1=2`` or ``params=3e6``; of accuracy the least that is allowed.
        knee: a target: the knee of the metric against its latency, among the rows that keep the budgets; or "".

    Raises:
        UsageError: an objective or a budget that can't be, or no network within the budgets (the nearest is named).
    """
    targets, metric = list(rows[0]["latency_ms"]), _metric(rows[0])
    objectives = [make_objective(name) for name in (metric.name, *(f"latency_ms@{each}" for each in targets), *COSTS)]
    values = np.array([[_value(row, each) for each in objectives] for row in rows])
    limits = dict(_budget(text, targets) for text in under)
    best = best or metric.name
    best = f"latency_ms@{_target(best.partition('@')[2], targets)}" if best.startswith("latency_ms@") else best
    place = best_under(values, objectives, best, limits)
    said = f"the best {best}"
    if knee:
        names = [metric.name, f"latency_ms@{_target(knee, targets)}"]
        columns = [[each.name for each in objectives].index(name) for name in names]
        kept = _within(values, objectives, limits)
        pair = [objectives[column] for column in columns]
        place = int(kept[knee_point(values[kept][:, columns], pair)])
        said = f"the knee of {metric.title} against {names[1]}"
    least = metric.name if metric.direction == "max" else ""
    budgets = "".join(f", {name} {'>=' if name == least else '<='} {limit:g}" for name, limit in limits.items())
    return {"network": rows[place]["label"], "chosen": said + budgets, **_shown(rows[place], metric)}


def _metric(row: Row) -> Metric:
    """Return the metric of the task that a row tells."""
    return next(metric for name, metric in metrics().items() if f"validation_{name}" in row)


def _within(values: np.ndarray, objectives: Sequence[Objective], limits: dict[str, float]) -> np.ndarray:
    keep = np.ones(len(values), dtype=bool)
    for name, limit in limits.items():
        place = [each.name for each in objectives].index(name)
        column = values[:, place]
        keep &= column >= limit if objectives[place].direction == "max" else column <= limit
    return np.flatnonzero(keep)


def _value(row: Row, objective: Objective) -> float:
    if objective.is_metric:
        return float(row[f"validation_{objective.name}"]["value"])
    if objective.target:
        return float(_latency(row, objective.target)["value"])
    return float(row[objective.name])


def _latency(row: Row, target: str) -> dict[str, Any]:
    found: dict[str, Any] = row["latency_ms_measured"].get(target) or row["latency_ms"][target]
    return found


def _shown(row: Row, metric: Metric) -> dict[str, Any]:
    latencies = {name: _latency(row, name) for name in row["latency_ms"]}
    return {
        "key": row["key"],
        f"validation_{metric.column}": row[f"validation_{metric.name}"]["value"],
        "latency_ms": {name: round(found["value"], 4) for name, found in latencies.items()},
        "latency_obtained": {name: found["obtained"] for name, found in latencies.items()},
        **{name: row[name] for name in COSTS},
    }


def _budget(text: str, targets: Sequence[str]) -> tuple[str, float]:
    name, equals, given = text.rpartition("=")
    try:
        limit = float(given)
    except ValueError:
        limit = float("nan")
    if not equals or not np.isfinite(limit):
        raise UsageError(f"--under got {text!r}: write it as OBJECTIVE=NUMBER, as latency_ms@{targets[0]}=2")
    if name.startswith("latency_ms@"):
        name = f"latency_ms@{_target(name.partition('@')[2], targets)}"
    return name, limit


def _target(text: str, targets: Sequence[str]) -> str:
    """Return the target that is meant: its name, or the beginning of one name alone, as ``t4``."""
    found = [name for name in targets if name == text] or [name for name in targets if name.split(":")[0] == text]
    if len(found) != 1:
        close = difflib.get_close_matches(text, targets, 1)
        meant = f": did you mean {close[0]!r}?" if close and not found else ":"
        raise UsageError(f"target {text!r} is not one of the study's{meant} allowed: {', '.join(targets)}")
    return found[0]
