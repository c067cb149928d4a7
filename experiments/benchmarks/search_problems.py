"""Searches whose true answer is known: every network's values come from a public table, or from a fit to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    from nas.search.objectives import Objective, Values
    from nas.search.search import HypervolumeBox
    from search_spaces.space import Genes, SearchSpace

Array = NDArray[np.float64]

NB201_CELLS = 15_625
MACS = "macs"
# Networks of a table that stay out of a fit, to tell how much it errs.
HOLD_OUT = 0.2
FRONT_POPULATION, FRONT_GENERATIONS = 100, 250


@dataclass(frozen=True)
class SearchProblem:
    """A search with a known answer.

    Attributes:
        name: the target, or what the second objective is.
        space: the space.
        objectives: the accuracy, then the cost.
        evaluate: genes -> values (n, 2) in natural units.
        cost: genes -> the second column of them, (n,).
        box: of the hypervolume: the ideal and reference points.
        best: what the true front dominates of the box.
        limits: name -> a bound on the cost under which the best network is known.
        best_under: name -> its accuracy.
        facts: what a reader must know of the problem, as the error of a fit.
    """

    name: str
    space: SearchSpace
    objectives: tuple[Objective, ...]
    evaluate: Callable[[Genes], Values]
    cost: Callable[[Genes], Array]
    box: HypervolumeBox
    best: float
    limits: dict[str, float] = field(default_factory=dict)
    best_under: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def share(self, values: Values) -> float:
        """Return the hypervolume of ``values`` divided by that of the true front."""
        return self.box.share(values) / self.best

    def gaps(self, values: Values) -> dict[str, float]:
        """Return, for each limit, the accuracy points lost to the best network under it; NaN: none is under it."""
        found = {}
        for name, limit in self.limits.items():
            under = values[values[:, 1] <= limit, 0]
            found[name] = self.best_under[name] - float(under.max()) if len(under) else float("nan")
        return found


@dataclass(frozen=True)
class CellTable:
    """Every cell of nb201 with its accuracy and its latencies, looked up by genes."""

    space: SearchSpace
    genes: Genes
    accuracy: Array
    latency_ms: dict[str, Array]
    _row_of: NDArray[np.intp]

    @classmethod
    def read(cls, directory: Path, accuracy: str, targets: str) -> CellTable:
        """Return the table of DIR/nb201 with one accuracy column, on the targets named (``all``: every device).

        Raises:
            UsageError: an unknown column or device, cells that are missing, or values that can't be.
        """
        from experiments.benchmarks.tabular import (
            device_latencies,
            named_devices,
            read_architectures,
            read_latency_rows,
        )
        from experiments.benchmarks.tabular_spaces import read_space

        table, rows = read_architectures(directory, "nb201"), read_latency_rows(directory, "nb201")
        accuracies = [str(name) for name in table if str(name).startswith("test_acc")]
        if accuracy not in accuracies:
            raise unknown("accuracy of nb201", accuracy, accuracies)
        features, genes = read_space("nb201", table)
        places = _place(genes)
        if len(np.unique(places)) != NB201_CELLS or len(places) != NB201_CELLS:
            raise UsageError(
                f"nb201/architectures.parquet has {len(np.unique(places))} distinct cells in {len(places)} rows: "
                f"a search needs all {NB201_CELLS}, each once"
            )
        values = table[accuracy].to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            raise UsageError(f"{accuracy}: {int((~np.isfinite(values)).sum())} rows are not finite: mend the table")
        known = sorted(set(rows.device_key))
        devices = known if targets == "all" else named_devices(targets, known, "target")
        latency_ms = {device: device_latencies(rows, device, table, "nb201") for device in devices}
        return cls(features.space, genes, values, latency_ms, np.argsort(places))

    def rows(self, genes: Genes) -> NDArray[np.intp]:
        """Return the table's row of each cell, (n,)."""
        return self._row_of[_place(genes)]

    def problem(self, target: str) -> SearchProblem:
        """Return error against latency on one device; the box is the range of each over all cells."""
        from nas.search.objectives import make_objective
        from nas.search.search import HypervolumeBox

        objectives = (make_objective("accuracy"), make_objective(f"latency_ms@{target}"))
        values = np.column_stack([self.accuracy, self.latency_ms[target]])
        low, high = values.min(axis=0), values.max(axis=0)
        box = HypervolumeBox(objectives, (high[0], low[1]), (low[0], high[1]))
        limits = {f"q{percent}": float(np.percentile(values[:, 1], percent)) for percent in (25, 50, 75)}
        best_under = {name: float(values[values[:, 1] <= limit, 0].max()) for name, limit in limits.items()}
        return SearchProblem(
            target,
            self.space,
            objectives,
            lambda genes: np.asarray(values[self.rows(genes)]),
            lambda genes: np.asarray(values[self.rows(genes), 1]),
            box,
            box.share(values),
            limits,
            best_under,
            {"num_networks": len(values), "obtained": "table values"},
        )


def _place(genes: Genes) -> NDArray[np.int64]:
    """Return each cell's number in base 5, (n,)."""
    edges = np.asarray(genes[:, -6:], dtype=np.int64)
    return np.asarray(edges @ 5 ** np.arange(6))


def ofa_problems(directory: Path, targets: Sequence[str], seed: int = 0) -> list[SearchProblem]:
    """Return ImageNet error against a cost, one problem a target, over Once-for-All networks at 224 pixels.

    Accuracy is that of a fit to visited networks. The front is the best that a long evolution on the fit finds; the box
    runs between the front's two ends.

    Args:
        directory: holds ofa/accuracy.parquet.
        targets: ``macs``, which are counted, or targets whose analytic latency is the cost.
        seed: of the fit's hold-out and of the evolution.

    Raises:
        UsageError: the table is missing or lacks columns, or a target is unknown.
    """
    surrogate = OfaSurrogate.fit(directory, seed)
    return [_ofa_problem(surrogate, name, seed) for name in targets]


def _ofa_problem(surrogate: OfaSurrogate, name: str, seed: int) -> SearchProblem:
    from nas.search.objectives import make_objective, to_minimised
    from nas.search.pareto import non_dominated
    from nas.search.search import HypervolumeBox

    objectives = (make_objective("accuracy"), make_objective(name if name == MACS else f"latency_ms@{name}"))
    cost = surrogate.macs if name == MACS else _analytic_latency(surrogate.space, name)

    def evaluate(genes: Genes) -> Values:
        return np.column_stack([surrogate.accuracy(genes), cost(genes)])

    front = _long_evolution(surrogate.space, objectives, evaluate, seed)
    front = front[non_dominated(to_minimised(front, objectives))]
    high, low = front.max(axis=0), front.min(axis=0)
    box = HypervolumeBox(objectives, (high[0], low[1]), (low[0], high[1]))
    facts = {
        **surrogate.facts,
        "cost_obtained": "counted" if name == MACS else "analytic",
        "front_from": f"evolution, {FRONT_POPULATION * FRONT_GENERATIONS} networks",
        "front_size": len(front),
        "box": {"accuracy": [float(low[0]), float(high[0])], "cost": [float(low[1]), float(high[1])]},
    }
    return SearchProblem(name, surrogate.space, objectives, evaluate, cost, box, box.share(front), facts=facts)


def _analytic_latency(space: SearchSpace, name: str) -> Callable[[Genes], Array]:
    from experiments.stages.latency import TargetLatency
    from predictors.target import target

    found = TargetLatency(space, target(name))
    return lambda genes: found.predict(genes)[0]


@dataclass(frozen=True)
class OfaSurrogate:
    """ImageNet top-1 (predicted) and MACs (exact) of every Once-for-All MobileNetV3 at 224 pixels."""

    space: SearchSpace
    accuracy: Callable[[Genes], Array]
    macs: Callable[[Genes], Array]
    facts: dict[str, Any]

    @classmethod
    def fit(cls, directory: Path, seed: int) -> OfaSurrogate:
        """Return the fit to all networks of DIR/ofa/accuracy.parquet; its error is that of a fit to four fifths."""
        from predictors.accuracy import AccuracyModel
        from search_spaces.population import PopulationCost
        from search_spaces.spaces import space as make_space

        space = make_space("ofa_mobilenet", resolutions=(224,))
        genes, accuracy = _ofa_networks(directory, space)
        cost = PopulationCost(space)

        def inputs(rows: Genes) -> tuple[Array, Array]:
            return np.asarray(space.one_hot(rows), dtype=np.float64), cost.counts(rows).astype(np.float64)

        order = np.random.default_rng(seed).permutation(len(genes))
        held, rest = np.split(order, [int(HOLD_OUT * len(order))])
        predicted, _ = AccuracyModel.fit(*inputs(genes[rest]), accuracy[rest]).predict(*inputs(genes[held]))
        errors = predicted - accuracy[held]
        model = AccuracyModel.fit(*inputs(genes), accuracy)

        facts = {
            "num_networks": len(genes),
            "num_held_out": len(held),
            "hold_out_rmse_points": round(float(np.sqrt(np.mean(errors**2))), 4),
            "hold_out_mean_error_points": round(float(np.mean(np.abs(errors))), 4),
            "obtained": "accuracy predicted by a Gaussian process fitted on table values",
        }

        def macs(rows: Genes) -> Array:
            return cost.counts(rows)[:, 1].astype(np.float64)

        return cls(space, lambda rows: model.predict(*inputs(rows))[0], macs, facts)


def _ofa_networks(directory: Path, space: SearchSpace) -> tuple[Genes, Array]:
    """Return the distinct networks of the table and their accuracies; the first visit of each counts."""
    from experiments.benchmarks.tabular import read_parquet, require_columns
    from experiments.benchmarks.tabular_spaces import read_space

    table = read_parquet(directory / "ofa" / "accuracy.parquet")
    require_columns(table, ("resolution", "imagenet_top1"), "ofa/accuracy.parquet")
    table = table[table.resolution == 224].reset_index(drop=True)
    _, genes = read_space("ofa", table)
    # The space here has one resolution: the only index is 0.
    genes[:, space.column["resolution"]] = 0
    _, first = np.unique(genes, axis=0, return_index=True)
    first = np.sort(first)
    return space.canonical(genes[first]), table.imagenet_top1.to_numpy(dtype=np.float64)[first]


def _long_evolution(
    space: SearchSpace, objectives: tuple[Objective, ...], evaluate: Callable[[Genes], Values], seed: int
) -> Values:
    """Return the values of everything that a long NSGA-II met."""
    from nas.search.population import SeenRows, sample_spread
    from nas.search.problem import Evolution

    seen = SeenRows()
    evolution = Evolution(
        space,
        objectives,
        seen,
        seed,
        population_sizes=(FRONT_POPULATION, 2 * FRONT_POPULATION),
        crossover_probability=0.5,
    )
    genes = sample_spread(space, np.random.default_rng(seed), FRONT_POPULATION)
    met = []
    for _ in range(FRONT_GENERATIONS):
        seen.add(genes)
        met.append(evaluate(genes))
        evolution.survive(genes, met[-1])
        genes = evolution.children(FRONT_POPULATION)
    return np.concatenate(met)
