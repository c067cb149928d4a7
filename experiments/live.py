"""A study's report as far as it is: the written one once the study ended, and before that what the database holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.evaluated import evaluated_table, minimised, thin
from experiments.report.data import (
    HypervolumePoint,
    ReportData,
    ReportMetric,
    SearchHistory,
    SearchRun,
    SpaceInfo,
    StudyInfo,
    TrainingPoint,
    group_scores,
    read_report_data,
)
from experiments.report.table import EvaluatedTable
from nas.tasks import tasks
from search_spaces.errors import NasError, UsageError

if TYPE_CHECKING:
    from experiments.store.records import Records
    from experiments.store.store import StudySummary

HISTORY_POINTS = 60


def live_report(study: Records, summary: StudySummary, folder: Path) -> ReportData:
    """Return everything that can be shown of a study now.

    Raises:
        UsageError: the written report can't be read.
    """
    written = _written(folder)
    if written is not None and _covers(written, summary):
        if written.table.keys:
            return written
        return written.model_copy(update={"table": thin(evaluated_table(study, written))})
    metric = _metric(study)
    training = tuple(_training(study, metric.name))
    bare = ReportData(study=_study(study, summary), metric=metric, training=training)
    table = evaluated_table(study, bare)
    return bare.model_copy(update={"table": thin(table), "search": _history(table, study), "notes": (_note(summary),)})


def _written(folder: Path) -> ReportData | None:
    try:
        return read_report_data((folder / "report.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    except UnicodeDecodeError:
        raise UsageError("the report's data is not text: run the study again") from None


def _covers(report: ReportData, summary: StudySummary) -> bool:
    """Return whether nothing was evaluated since the report was written (an export alone makes nothing of it old)."""
    return sum(run.history[-1].evaluations for run in report.search.runs if run.history) >= summary.num_evaluations


def _note(summary: StudySummary) -> str:
    ended = summary.state in ("done", "stopped", "cancelled")
    then = "no report was written" if ended else "predicted latencies and fronts of targets follow when it ends"
    return (
        f"The study is {summary.state}: this is what the database holds of it, counts made here in closed form; {then}."
    )


def _study(study: Records, summary: StudySummary) -> StudyInfo:
    seconds = [(name, float(row["seconds"])) for name, row in study.done("stage").items() if "seconds" in row]
    return StudyInfo(
        name=study.name,
        created=summary.created_at.isoformat(timespec="seconds"),
        settings=study.settings,
        seed=study.seed,
        space=_space(study),
        stage_seconds=tuple(seconds),
    )


def _space(study: Records) -> SpaceInfo:
    """Return the space as an evaluated network names it, or as the settings do, with its size where it is known."""
    first = study.evaluations(limit=1)
    if first and first[0].architecture:
        content = json.loads(first[0].architecture)
        name, settings = str(content["space"]), dict(content["settings"])
    else:
        settings = dict(study.settings.get("space") or {})
        name = str(settings.pop("name", "unknown"))
    from search_spaces.spaces import space

    try:
        return SpaceInfo(name=name, settings=settings, size=str(space(name, **settings).size()))
    except (NasError, TypeError):
        return SpaceInfo(name=name, settings=settings, size="0")


def _metric(study: Records) -> ReportMetric:
    """Return the metric of the study's task, that of classification where the settings name none that is known."""
    task = study.settings.get("task")
    name = task.get("name") if isinstance(task, dict) else None
    return ReportMetric.of(tasks.get(name).metric) if name in tasks.names() else ReportMetric()


def _training(study: Records, metric: str) -> Iterable[TrainingPoint]:
    for row in study.done("training").values():
        if "loss" not in row:
            continue
        accuracies: dict[str, Any] = row.get(f"validation_{metric}", {})
        yield TrainingPoint(
            step=row["step"],
            images=row.get("network_images", 0),
            loss=row["loss"],
            learning_rate=row["learning_rate"],
            accuracy_smallest=accuracies.get("smallest"),
            accuracy_middle=accuracies.get("middle"),
            accuracy_largest=accuracies.get("largest"),
            groups=group_scores(row.get(f"group_{metric}", ())),
            rollbacks=tuple(row.get("rollbacks", ())),
        )


def _history(table: EvaluatedTable, study: Records) -> SearchHistory:
    """Return the hypervolume of the first two columns over the evaluations, in the box of what was seen."""
    from nas.search.pareto import hypervolume, normalise

    if len(table.columns) < 2 or len(table.keys) < 2:
        return SearchHistory()
    shown = table.columns[:2]
    points = minimised(table, [column.name for column in shown])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return SearchHistory()
    ideal, nadir = points.min(axis=0), points.max(axis=0)
    scaled = normalise(points, ideal, nadir)
    numbers = np.unique(np.linspace(1, len(points), HISTORY_POINTS).round().astype(int)).tolist()
    history = tuple(
        HypervolumePoint(evaluations=n, hypervolume=hypervolume(scaled[:n], np.full(2, 1.0 + 1e-9))) for n in numbers
    )
    algorithm = str((study.settings.get("search") or {}).get("algorithm", "search"))
    sources = tuple(dict.fromkeys(source for column in shown for source in column.obtained))
    worst = [-value if column.direction == "max" else value for column, value in zip(shown, nadir, strict=True)]
    return SearchHistory(
        runs=(SearchRun(algorithm=algorithm, history=history, final=history[-1].hypervolume),),
        reference_point={f"{column.name} ({column.unit})": float(v) for column, v in zip(shown, worst, strict=True)},
        normalisation="each objective scaled to the range seen so far, which still changes: compare finished studies",
        obtained=sources,
    )
