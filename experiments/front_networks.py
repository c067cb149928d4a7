"""The networks of a front.json as objectives and values, of a study that trains or of a tabular one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.front_file import Row, front_rows, is_tabular, reading_front
from nas.search.objectives import ON_TARGETS, Objective, Values, make_objective
from nas.tasks import Metric, metrics
from search_spaces.errors import UsageError

COSTS = ("params", "macs", "activations", "peak_memory_bytes", "size_bytes")


@dataclass(frozen=True)
class FrontNetworks:
    """The networks of all fronts of a study.

    Attributes:
        objectives: columns of ``values``: the metric of the task, latencies, and what else is known of every network.
        values: (n, num_objectives), natural units. Latencies are the measured ones of networks that were timed.
        shown: what a person is told of each network, ``network`` (its name) first.
    """

    objectives: tuple[Objective, ...]
    values: Values
    shown: Sequence[Row]


def read_networks(path: Path, study: str) -> FrontNetworks:
    """Return the networks of a study's front.json.

    Raises:
        UsageError: the file is not there or is damaged, or no network is on a front.
    """
    with reading_front(path, study) as content:
        tabular = is_tabular(content)
        if not (content["front"] if tabular else front_rows(content)):
            raise UsageError(f"no network is on a front of study {study!r}: loosen the bounds of its objectives")
        return _of_table(content) if tabular else _of_rows(front_rows(content))


def _of_table(content: dict[str, Any]) -> FrontNetworks:
    objectives = tuple(map(make_objective, content["objectives"]))
    values = np.array([[float(row[each.name]) for each in objectives] for row in content["front"]])
    told = {"obtained": content["obtained"]} if "obtained" in content else {}
    return FrontNetworks(objectives, values, [{"network": row["key"], **row, **told} for row in content["front"]])


def _of_rows(rows: Sequence[Row]) -> FrontNetworks:
    metric = next(metric for name, metric in metrics().items() if f"validation_{name}" in rows[0])
    # Fronts that were written by an earlier version hold no sizes.
    costs = [name for name in COSTS if name in rows[0]]
    on_targets = [f"{quantity}@{target}" for quantity in ON_TARGETS for target in rows[0].get(quantity, {})]
    names = (metric.name, *on_targets, *costs)
    objectives = tuple(map(make_objective, names))
    values = np.array([[_value(row, each) for each in objectives] for row in rows])
    return FrontNetworks(objectives, values, [_shown(row, metric, costs) for row in rows])


def _value(row: Row, objective: Objective) -> float:
    if objective.is_metric:
        return float(row[f"validation_{objective.name}"]["value"])
    return float(
        _known(row, objective.quantity, objective.target)["value"] if objective.target else row[objective.name]
    )


def _known(row: Row, quantity: str, target: str) -> dict[str, Any]:
    found: dict[str, Any] = row[f"{quantity}_measured"].get(target) or row[quantity][target]
    return found


def _shown(row: Row, metric: Metric, costs: Sequence[str]) -> Row:
    latencies = {name: _known(row, "latency_ms", name) for name in row["latency_ms"]}
    return {
        "network": row["label"],
        "key": row["key"],
        f"validation_{metric.column}": row[f"validation_{metric.name}"]["value"],
        "latency_ms": {name: round(found["value"], 4) for name, found in latencies.items()},
        "latency_obtained": {name: found["obtained"] for name, found in latencies.items()},
        **{name: row[name] for name in costs},
    }
