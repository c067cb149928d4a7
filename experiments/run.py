"""A study from beginning to end. Every stage goes on from what is stored: a killed run is started again as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.callback import Callback, telling
from experiments.config import StudyConfig
from experiments.context import Context, Together, alone, choose_device, make_folder
from experiments.evaluating import Evaluating, here
from experiments.stages.export import export_networks
from experiments.stages.fronts import make_fronts
from experiments.stages.latency import learn_latency
from experiments.stages.report import front_csv, report_data
from experiments.stages.scaling import scale_networks
from experiments.stages.search import require_reachable_bounds, search_space
from experiments.stages.training import train_supernetwork
from experiments.stages.warm_start import start_networks
from experiments.store.store import Store, Study
from experiments.study_space import data_and_space
from experiments.talk import Talk
from nas.files import write_text
from nas.stored_settings import completed

Until = Literal["training", "search", "report"]


@dataclass(frozen=True)
class Outcome:
    """What a run left: its folder, and the numbers that a person looks at first.

    Attributes:
        folder: of the study's files.
        summary: plain JSON data.
        table: the fronts as text for a terminal, or "".
    """

    folder: Path
    summary: dict[str, Any]
    table: str = ""


def run_study(
    config: StudyConfig,
    store: Store,
    out: Path,
    talk: Talk,
    until: Until = "report",
    runner: str = "nas",
    together: Together = alone,
    evaluating: Evaluating = here,
    callbacks: Sequence[Callback] = (),
) -> Outcome:
    """Run, or go on with, the study of ``config``.

    Args:
        config: all settings.
        store: where the study is remembered.
        out: the folder of all studies; this one's is ``out/NAME``.
        talk: what a person is told.
        until: the last stage to run.
        runner: a name for this process.
        together: brings in other processes for the training.
        evaluating: brings in who evaluates the networks of the search.
        callbacks: told of every finished piece of work (``experiments.callback``).

    Raises:
        ConflictError: a study of that name has other settings, or another runner has it.
        NasError: as the stages raise.
    """
    make = _prepare(config, out, talk, together, evaluating)
    # Only now: a study whose data or space can't be used would stand in the way of the corrected one.
    settings = config.model_dump(mode="json")
    study = store.study(config.name, settings, seed=config.seed, complete=lambda stored: completed(stored, StudyConfig))
    with study.held(runner), telling(study, callbacks, talk):
        return _stages(make(study), until)


def run_taken(config: StudyConfig, study: Study, out: Path, talk: Talk) -> Outcome:
    """Run, or go on with, a study that this process holds, as a runner of the queue does; raises as run_study."""
    return _stages(_prepare(config, out, talk, alone, here)(study), "report")


def _prepare(
    config: StudyConfig, out: Path, talk: Talk, together: Together, evaluating: Evaluating
) -> Callable[[Study], Context]:
    """Return what makes the context of the study, once its data and space are known to be usable."""
    device = choose_device(config.device)
    data, space = data_and_space(config)
    for name in data.skipped:
        talk.warn(f"{name} does not decode: left out")
    folder = make_folder(out / config.name)
    talk.say(f"study {config.name}: space {space.name} of {space.size():,} networks, {len(data.training)} images")
    return lambda study: Context(config, study, folder, space, data.to(device), device, talk, together, evaluating)


def _stages(context: Context, until: Until) -> Outcome:
    if until == "training":
        trained = train_supernetwork(context)
        return Outcome(context.folder, {"study": context.config.name, "training": trained.points[-1]})
    # Before training: it takes seconds, and what is wrong with bounds or given networks is better known first.
    start = start_networks(context)
    latencies = learn_latency(context)
    require_reachable_bounds(context, latencies)
    trained = train_supernetwork(context)
    searched = search_space(context, trained, latencies, start)
    fronts = make_fronts(context, searched, latencies)
    write_text(context.folder / "front.json", json.dumps(fronts.to_dict(context), indent=1, sort_keys=True) + "\n")
    write_text(context.folder / "front.csv", front_csv(fronts, context.data.task.metric))
    summary: dict[str, Any] = {
        "study": context.config.name,
        "folder": str(context.folder),
        "networks_on_joint_front": int(fronts.on_joint_front.sum()),
        "networks_on_front_of": {name: int(rows.sum()) for name, rows in fronts.on_front.items()},
        "hypervolume": {name: result.hypervolumes[-1][1] for name, result in searched.results.items()},
        "evaluations": context.config.search.evaluations,
    }
    if fronts.robust is not None:
        summary["robust_set"] = [fronts.candidates[row].label for row in fronts.robust.rows]
    if until == "search":
        return Outcome(context.folder, summary)
    scaled = scale_networks(context, fronts)
    exported = export_networks(context, trained, fronts)
    best = exported[0]
    summary |= {
        "best_on_validation": fronts.candidates[fronts.chosen[0]].label,
        f"its_test_{context.data.task.metric.column}": best.score("test").value,
        "its_weights": best.weights,
    }
    return _report(context, summary, report_data(context, trained, latencies, searched, fronts, scaled, exported))


def _report(context: Context, summary: dict[str, Any], data: Any) -> Outcome:
    from experiments.evaluated import evaluated_table, thin
    from experiments.report.page import write_report
    from experiments.report.text import render_front_table

    data = data.model_copy(update={"table": thin(evaluated_table(context.study, data))})
    write_text(context.folder / "report.json", data.to_json() + "\n")
    write_report(data, context.folder / "report.html")
    for name in ("front.json", "front.csv", "report.json", "report.html"):
        context.study.add_artifact(name, context.folder / name, root=context.folder)
    return Outcome(context.folder, summary, render_front_table(data))
