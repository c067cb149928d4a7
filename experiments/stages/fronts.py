"""Stage 4: one front a target, and the networks that are chosen from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.context import Context
from experiments.stages.bounds import breaks_bound
from experiments.stages.latency import TargetLatency
from experiments.stages.search import Searched
from experiments.stages.timed import STORED, measure
from nas.search.objectives import is_feasible, make_objective, metric_column, to_minimised
from nas.search.pareto import non_dominated
from nas.search.robust import RobustSet, lost_shares, robust_set
from nas.search.selection import choose_kept
from nas.tasks import Metric
from predictors.measurement import Measurement, Obtained
from predictors.target import is_present
from search_spaces.architecture import Architecture
from search_spaces.block import cost, network_layers
from search_spaces.layers import Cost
from search_spaces.precision import size_bytes
from search_spaces.space import Genes

# Networks that are timed beyond the chosen ones where some of these break a bound.
MAX_REPLACEMENTS = 10


@dataclass(frozen=True)
class Candidate:
    """One evaluated network.

    Attributes:
        score: the metric of the task on validation images, with inherited weights.
        latency: by target name, what the search used.
        timed: by ``QUANTITY@TARGET``, what was measured.
        label: a short name, ``N1`` being the best by its score.
        size_bytes: of its constants as they are exported, at its precisions.
        further: by ``QUANTITY@TARGET``, what the search used of further objectives, as ``latency_p95_ms``.
    """

    architecture: Architecture
    label: str
    cost: Cost
    score: Measurement
    latency: dict[str, Measurement]
    timed: Mapping[str, Measurement]
    size_bytes: int
    further: Mapping[str, Measurement] = field(default_factory=dict)

    @property
    def measured(self) -> dict[str, Measurement]:
        """The measured median latencies, by target name."""
        return {found.target: found for found in self.timed.values() if found.quantity == "latency_ms"}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data of what does not depend on when or how often the study ran."""

        def shown(found: Measurement) -> dict[str, Any]:
            return {"value": found.value, "unit": found.unit, "obtained": found.obtained, "spread": found.spread}

        further: dict[str, dict[str, Any]] = {}
        for name, found in self.further.items():
            further.setdefault(found.quantity, {})[found.target] = shown(found)
            measured = further.setdefault(f"{found.quantity}_measured", {})
            if name in self.timed:
                measured[found.target] = shown(self.timed[name])
        return {
            "key": self.architecture.key,
            "label": self.label,
            "knobs": dict(self.architecture.choices),
            self.score.quantity: shown(self.score),
            "latency_ms": {name: shown(found) for name, found in self.latency.items()},
            "latency_ms_measured": {name: shown(found) for name, found in self.measured.items()},
            **further,
            "params": self.cost.params,
            "macs": self.cost.macs,
            "activations": self.cost.activations,
            "peak_memory_bytes": self.cost.peak_memory_bytes,
            "size_bytes": self.size_bytes,
        }


@dataclass(frozen=True)
class Fronts:
    """All evaluated networks, and which of them are on which front.

    Attributes:
        candidates: everything that the study's algorithm evaluated.
        on_front: by target name, which candidates are feasible and on its front of score and latency.
        on_joint_front: which candidates are on the front of all objectives of the search.
        chosen: indices of the chosen candidates, the best by score first.
        reasons: why each was chosen.
        robust: of several targets: as many networks as are chosen, that lose least over all targets together.
        chosen_lost: by target, the share of its front's hypervolume that the chosen networks do not reach.
        left_out: candidates that would have been chosen, and broke a bound when they were timed.
    """

    candidates: tuple[Candidate, ...]
    on_front: dict[str, NDArray[np.bool_]]
    on_joint_front: NDArray[np.bool_]
    chosen: tuple[int, ...]
    reasons: tuple[str, ...]
    robust: RobustSet | None
    chosen_lost: dict[str, float]
    left_out: tuple[int, ...] = ()

    def to_dict(self, context: Context) -> dict[str, Any]:
        """Return the content of ``front.json``."""
        config = context.config
        content = {
            "study": config.name,
            "seed": config.seed,
            "space": {"name": context.space.name, "settings": context.space.settings.model_dump(mode="json")},
            "counting": config.counting,
            "objectives": [objective.name for objective in config.objectives],
            "fronts": {
                name: [self.candidates[index].to_dict() for index in self.front(name)] for name in self.on_front
            },
            "joint_front": [self.candidates[i].to_dict() for i in np.flatnonzero(self.on_joint_front)],
            "chosen": [self.candidates[index].architecture.key for index in self.chosen],
        }
        if self.robust is not None:
            keys = [self.candidates[row].architecture.key for row in self.robust.rows]
            content["robust_set"] = {"networks": keys, "hypervolume_lost": self.robust.lost}
        return content

    def front(self, target: str) -> list[int]:
        """Return the candidates on a target's front, the fastest first."""
        rows = np.flatnonzero(self.on_front[target]).tolist()
        return sorted(rows, key=lambda row: (self.candidates[row].latency[target].value, row))


def make_fronts(context: Context, searched: Searched, latencies: Sequence[TargetLatency]) -> Fronts:
    """Return the fronts; the chosen networks are really timed on every target that is present."""
    with context.stage("selection"):
        result, objectives = searched.main, searched.objectives
        metric = context.data.task.metric
        score = result.values[:, metric_column(objectives)]
        rank = np.array([metric.rank(value) for value in score])
        feasible = is_feasible(result.values, objectives)
        predicted = {latency.target.name: latency.predict(result.genes) for latency in latencies}
        points = {name: _points(metric, name, score, mean_ms, feasible) for name, (mean_ms, _) in predicted.items()}
        on_front = {name: non_dominated(values) for name, values in points.items()}
        robust = robust_set(points, context.config.networks) if len(points) > 1 else None
        architectures = context.space.decode(result.genes)
        timed: dict[int, dict[str, Measurement]] = {}

        def keeps(row: int) -> bool:
            timed[row] = _time(context, latencies, architectures[row])
            return not breaks_bound(objectives, timed[row])

        num = context.config.networks
        picked, left_out = choose_kept(result.values, objectives, feasible, num, keeps, num + MAX_REPLACEMENTS)
        picked.sort(key=lambda row: (-rank[row], row))
        candidates = _candidates(context, latencies, architectures, score, result.front, predicted, timed)
        further = _further(latencies, result.genes)
        candidates = tuple(replace(each, further=row) for each, row in zip(candidates, further, strict=True))
        reasons = tuple(_reason(row, picked, candidates, metric) for row in picked)
    lost = lost_shares(points, picked)
    return Fronts(candidates, on_front, result.front, tuple(picked), reasons, robust, lost, tuple(left_out))


def _points(
    metric: Metric,
    target: str,
    score: NDArray[np.float64],
    mean_ms: NDArray[np.float64],
    feasible: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return (n, 2) minimised values on a target, NaN for networks that break a bound."""
    pair = (make_objective(metric.name), make_objective(f"latency_ms@{target}"))
    points = to_minimised(np.column_stack([score, mean_ms]), pair)
    points[~feasible] = np.nan
    return points


def _time(context: Context, latencies: Sequence[TargetLatency], architecture: Architecture) -> dict[str, Measurement]:
    present = [latency for latency in latencies if latency.model is not None and is_present(latency.target)]
    found = [each for latency in present for each in measure(context, latency.target, architecture).values()]
    return {f"{each.quantity}@{each.target}": each for each in found}


def _candidates(
    context: Context,
    latencies: Sequence[TargetLatency],
    architectures: Sequence[Architecture],
    score: NDArray[np.float64],
    on_joint_front: NDArray[np.bool_],
    predicted: dict[str, tuple[NDArray[np.float64], NDArray[np.float64] | None]],
    measured: dict[int, dict[str, Measurement]],
) -> tuple[Candidate, ...]:
    metric = context.data.task.metric
    # Of equally good networks the one on the front comes first, so that N1 is always on it.
    order = np.lexsort((~on_joint_front, np.array([-metric.rank(value) for value in score])))
    rank = {int(row): number for number, row in enumerate(order, start=1)}
    spreads = {key: found.spread for key, found in context.study.measurements(quantity=f"validation_{metric.name}")}
    found = []
    for row, architecture in enumerate(architectures):
        latency = {}
        for each in latencies:
            mean_ms, std_ms = predicted[each.target.name]
            spread = None if std_ms is None else float(std_ms[row])
            obtained: Obtained = "analytic" if std_ms is None else "predicted"
            latency[each.target.name] = Measurement(
                "latency_ms", float(mean_ms[row]), "ms", obtained, spread, each.target.name
            )
        quality = Measurement(
            f"validation_{metric.name}", float(score[row]), metric.unit, "measured", spreads.get(architecture.key)
        )
        blueprint = context.space.blueprint(architecture)
        counted, num_bytes = cost(blueprint, context.config.counting), size_bytes(network_layers(blueprint))
        timed = measured.get(row, {})
        found.append(Candidate(architecture, f"N{rank[row]}", counted, quality, latency, timed, num_bytes))
    return tuple(found)


def _further(latencies: Sequence[TargetLatency], genes: Genes) -> list[dict[str, Measurement]]:
    """Return, of each network, what the search used of the objectives beside counts and median latencies."""
    rows: list[dict[str, Measurement]] = [{} for _ in genes]
    for latency in latencies:
        target = latency.target.name
        for quantity, model in latency.further.items():
            mean, std = model.predict(genes)
            for number, row in enumerate(rows):
                spread = None if std is None else float(std[number])
                value, unit = float(mean[number]), STORED[quantity][1]
                row[f"{quantity}@{target}"] = Measurement(quantity, value, unit, model.obtained, spread, target)
    return rows


def _reason(row: int, picked: Sequence[int], candidates: Sequence[Candidate], metric: Metric) -> str:
    """Return why a network was chosen, in words."""
    best = "the most accurate" if metric.name == "accuracy" else f"the best by {metric.title}"
    reasons = []
    if row == max(picked, key=lambda r: (metric.rank(candidates[r].score.value), -r)):
        reasons.append(f"{best} on validation images")
    for name in candidates[row].latency:
        if row == min(picked, key=lambda r: (candidates[r].latency[name].value, r)):
            reasons.append(f"the fastest on {name}")
    return " and ".join(reasons) or f"between {best} and the fastest of the front"
