"""One network of a finished search: the best within budgets, or the knee of the front."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.front_networks import FrontNetworks
from nas.search.objectives import ON_TARGETS, Objective, Values
from nas.search.selection import best_under, knee_point
from nas.tasks import metrics
from search_spaces.errors import UsageError


def pick(networks: FrontNetworks, best: str, under: Sequence[str], knee: str) -> dict[str, Any]:
    """Return the network that is best in objective ``best`` within the budgets, or the knee, and how it was chosen.

    Args:
        networks: to pick from.
        best: an objective, as ``accuracy`` or ``latency_ms@t4:fp16:b1``; "" is the metric of the task.
        under: budgets, as ``latency_ms@t4:fp16:b1=2`` or ``params=3e6``; of accuracy the least that is allowed.
        knee: a target: the knee of the metric against its latency, among the rows that keep the budgets; or "".

    Raises:
        UsageError: an objective or a budget that can't be, or no network within the budgets (the nearest is named).
    """
    objectives, values = networks.objectives, networks.values
    names = [each.name for each in objectives]
    targets = list(dict.fromkeys(each.target for each in objectives if each.target))
    metric = next(each for each in objectives if each.is_metric)
    limits = dict(_budget(text, targets) for text in under)
    best = _full_name(best or metric.name, targets)
    place = best_under(values, objectives, best, limits)
    said = f"the best {best}"
    if knee:
        columns = [names.index(metric.name), names.index(f"latency_ms@{_target(knee, targets)}")]
        kept = _within(values, objectives, limits)
        pair = [objectives[column] for column in columns]
        place = int(kept[knee_point(values[kept][:, columns], pair)])
        said = f"the knee of {metrics()[metric.name].title} against {pair[1].name}"
    least = metric.name if metric.direction == "max" else ""
    budgets = "".join(f", {name} {'>=' if name == least else '<='} {limit:g}" for name, limit in limits.items())
    return {"network": networks.shown[place]["network"], "chosen": said + budgets, **networks.shown[place]}


def _within(values: Values, objectives: Sequence[Objective], limits: dict[str, float]) -> NDArray[np.intp]:
    keep = np.ones(len(values), dtype=bool)
    for name, limit in limits.items():
        place = [each.name for each in objectives].index(name)
        column = values[:, place]
        keep &= column >= limit if objectives[place].direction == "max" else column <= limit
    return np.flatnonzero(keep)


def _budget(text: str, targets: Sequence[str]) -> tuple[str, float]:
    name, equals, given = text.rpartition("=")
    try:
        limit = float(given)
    except ValueError:
        limit = float("nan")
    if not equals or not np.isfinite(limit):
        raise UsageError(f"--under got {text!r}: write it as OBJECTIVE=NUMBER, as latency_ms@{targets[0]}=2")
    return _full_name(name, targets), limit


def _full_name(objective: str, targets: Sequence[str]) -> str:
    """Return the objective with the whole name of its target, where it has one."""
    kind, at, target = objective.partition("@")
    return f"{kind}@{_target(target, targets)}" if at and kind in ON_TARGETS else objective


def _target(text: str, targets: Sequence[str]) -> str:
    """Return the target that is meant: its name, or the beginning of one name alone, as ``t4``."""
    found = [name for name in targets if name == text] or [name for name in targets if name.split(":")[0] == text]
    if len(found) != 1:
        close = difflib.get_close_matches(text, targets, 1)
        meant = f": did you mean {close[0]!r}?" if close and not found else ":"
        raise UsageError(f"target {text!r} is not one of the study's{meant} allowed: {', '.join(targets)}")
    return found[0]
