"""What a sweep found: one row a study, and one a strategy with mean and spread over its seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.comparing import shared_hypervolumes
from experiments.config import StudyConfig
from experiments.evaluated import evaluated_table
from experiments.report.data import ReportData, read_report_data
from experiments.report.table import EvaluatedTable, TableColumn
from experiments.store.store import Store, Study
from experiments.sweep.plan import SEED, Combination, SweepPlan
from nas.search.objectives import Objective, is_feasible, make_objectives, metric_column, to_minimised
from nas.search.pareto import Points, non_dominated
from predictors.target import parse_target
from scaling.equal_cost import smallest_difference

REPORT = "report.json"
OTHER_IMAGES = ("data", "task")
Row = dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """What a finished study brings to the table.

    Attributes:
        row: its numbers, by the name of the column.
        front: minimised values of the networks within the bounds that no other one dominates, (n, num_objectives).
        objectives: what the columns of ``front`` are, each with how it was obtained.
    """

    row: Row
    front: Points
    objectives: tuple[str, ...]


def is_finished(store: Store, out: Path, name: str) -> bool:
    """Return whether a study ended with its report, whose file is still there."""
    if not any(study.state == "done" for study in store.studies(name=name)):
        return False
    reported = any(artifact.name == REPORT for artifact in store.load(name).artifacts())
    return reported and (out / name / REPORT).exists()


def sweep_findings(plan: SweepPlan, store: Store, out: Path, problems: Mapping[str, str]) -> dict[str, Any]:
    """Return the table of a sweep as plain data.

    Args:
        plan: its studies.
        store: where they are.
        out: the folder of all studies.
        problems: by name, why a study did not finish.
    """
    names = [each.config.name for each in plan.combinations]
    finished = {
        each.config.name: _read(store.load(each.config.name), each.config, out / each.config.name)
        for each in plan.combinations
        if is_finished(store, out, each.config.name)
    }
    fronts = list(dict.fromkeys(each.objectives for each in finished.values()))
    for number, objectives in enumerate(fronts, start=1):
        alike = [each for each in finished.values() if each.objectives == objectives]
        volumes = shared_hypervolumes([each.front for each in alike])
        for each, volume in zip(alike, volumes, strict=True):
            # Alone, a front is held against itself.
            each.row.update(front=number, hypervolume=volume if len(alike) > 1 else None)
    rows = [_row(each, store, finished, problems) for each in plan.combinations]
    strategies = _strategies(plan.combinations, finished)
    return {
        "sweep": plan.base,
        "studies": rows,
        "strategies": strategies,
        "smallest_difference": _smallest_differences(plan.combinations, finished),
        "notes": _notes(plan, fronts),
        "unfinished": [name for name in names if name not in finished],
    }


def _row(combination: Combination, store: Store, finished: Mapping[str, Finished], problems: Mapping[str, str]) -> Row:
    name = combination.config.name
    row: Row = {"study": name, **combination.values}
    if name in finished:
        return {**row, "state": "done", **finished[name].row}
    # A study whose data can't be read is not in the database.
    known = [(study.state, study.reason) for study in store.studies(name=name)]
    state, reason = known[0] if known else ("failed", "")
    return {**row, "state": state, "reason": problems.get(name) or reason}


def _read(study: Study, config: StudyConfig, folder: Path) -> Finished:
    report = read_report_data((folder / REPORT).read_text(encoding="utf-8"))
    table = evaluated_table(study, report)
    objectives = make_objectives(config.objectives)
    columns = [_column(table, each) for each in objectives]
    values = np.array([column.values for column in columns], dtype=np.float64).T
    feasible = is_feasible(values, objectives)
    points = to_minimised(values[feasible], objectives)
    metric, scores = config.task.make().metric, values[:, metric_column(objectives)]
    row: Row = {
        "evaluations": len(values),
        f"best_validation_{metric.column}": max(scores[np.isfinite(scores)].tolist(), key=metric.rank),
    }
    if any(each.bounds() for each in objectives):
        row[f"within_bounds_validation_{metric.column}"] = max(scores[feasible].tolist(), key=metric.rank)
    row[f"test_{metric.column}"] = _tested(report, metric.name)
    named = tuple(f"{column.name} ({' and '.join(column.obtained)})" for column in columns)
    return Finished(row, points[non_dominated(points)], named)


def _column(table: EvaluatedTable, objective: Objective) -> TableColumn:
    """Return what the search used: the upper limit of a quantity on a target that has an upper bound."""
    name = objective.name
    if objective.is_metric:
        name = f"validation_{name}"
    elif objective.target:
        limit = "" if objective.upper is None else "_upper_95"
        name = f"{objective.quantity}{limit}@{parse_target(objective.target).text}"
    column = table.column(name)
    assert column is not None, name
    return column


def _tested(report: ReportData, metric: str) -> float:
    """Return the score on test images of the network that is best on validation images, as it was exported."""
    found = [each.quantity.value for each in report.networks[0].quantities if each.name.startswith(f"test_{metric}")]
    return found[-1]


def _strategies(combinations: Sequence[Combination], finished: Mapping[str, Finished]) -> list[Row]:
    rows = []
    for members in _by_strategy(combinations).values():
        found = [finished[each.config.name].row for each in members if each.config.name in finished]
        row: Row = {**members[0].strategy, "seeds": len(found)}
        for column in _columns(found):
            values = [each[column] for each in found]
            row[column] = float(np.mean(values))
            row[f"{column}_spread"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
        rows.append(row)
    return rows


def _by_strategy(combinations: Sequence[Combination]) -> dict[str, list[Combination]]:
    groups: dict[str, list[Combination]] = {}
    for each in combinations:
        groups.setdefault(json.dumps(each.strategy), []).append(each)
    return groups


def _columns(rows: Sequence[Row]) -> list[str]:
    """Return the columns of numbers that all rows have and that have a mean."""
    names = [name for name in (rows[0] if rows else ()) if name not in ("front", "evaluations")]
    return [name for name in names if all(row.get(name) is not None for row in rows)]


def _smallest_differences(
    combinations: Sequence[Combination], finished: Mapping[str, Finished]
) -> dict[str, float | None]:
    """Return, by column, the smallest difference of two strategies that is not noise of the seeds.

    Only where every strategy has every seed, as seeds are paired; of one seed or one strategy nothing can be said.
    """
    if any(each.config.name not in finished for each in combinations):
        return {}
    rows = [[finished[each.config.name].row for each in group] for group in _by_strategy(combinations).values()]
    if len(rows) < 2 or len(rows[0]) < 2:
        return {}
    together = [name for name in _columns([row for group in rows for row in group]) if name != "hypervolume"]
    if len({row["front"] for group in rows for row in group}) == 1:
        together.append("hypervolume")
    found = {}
    for name in together:
        least = smallest_difference(np.array([[row[name] for row in group] for group in rows]).T)
        found[name] = None if least is None else round(least, 9)
    return found


def _notes(plan: SweepPlan, fronts: Sequence[tuple[str, ...]]) -> list[str]:
    """Return how each number was obtained, and which of them compare."""
    varied = plan.combinations[0].values
    notes = [
        "best_validation: measured on validation images with the shared weights, the best of all networks that the "
        "study's own algorithm evaluated: optimistic, since chosen by it; within_bounds: the same of those that keep "
        "the study's own bounds",
        "test: measured once on test images, of the network that is best on validation, with the weights it is "
        "exported with",
        *(f"front {number}: {', '.join(each)}" for number, each in enumerate(fronts, start=1)),
        "hypervolume: of the study's own algorithm, as a share of the box around the fronts of all studies with the "
        "same front number: it holds for this table alone, and compares with no other front number",
    ]
    if len(fronts) > 1:
        notes.append("the studies have different objectives: best_validation and test compare over all of them")
    if any(key.split(".")[0] in OTHER_IMAGES for key in varied):
        notes.append(
            "data or task is varied: best_validation, test and hypervolume are of other images and compare not"
        )
    if SEED in varied:
        notes.append(
            "spread: one standard deviation over the seeds; a seed draws the split of the data, the weights and the "
            "search anew"
        )
    return notes
