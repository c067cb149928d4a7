"""Stage 7: everything that the study found, as front.json, front.csv and the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from experiments.context import Context
from experiments.machine import machine, versions
from experiments.report.data import (
    Candidate as ReportCandidate,
)
from experiments.report.data import (
    ChosenNetwork,
    Costs,
    ExportedFile,
    Front,
    HypervolumePoint,
    NamedQuantity,
    PredictorFit,
    PredictorPoint,
    Quantity,
    ReportData,
    ReportMetric,
    ScalingRow,
    SearchHistory,
    SearchRun,
    SpaceInfo,
    StudyInfo,
    TrainingPoint,
    group_scores,
)
from experiments.stages.bounds import check_bounds
from experiments.stages.export import Exported
from experiments.stages.finalists import robust_networks, score_before
from experiments.stages.fronts import Candidate, Fronts
from experiments.stages.latency import TargetLatency
from experiments.stages.scaling import Scaled
from experiments.stages.search import Searched
from experiments.stages.training import Trained
from nas.export.card import Score
from nas.search.objectives import metric_column
from nas.search.selection import accuracy_interval
from nas.tasks import Metric, ShareTask, Task
from nas.training.curves import landmark_scores
from predictors.accuracy import AccuracyModel
from predictors.measurement import Measurement
from predictors.validation import Validation
from search_spaces.layers import Cost
from search_spaces.population import PopulationCost

INHERITED = "inherited weights (moving average), BatchNorm statistics of the calibration images"


def front_csv(fronts: Fronts, metric: Metric) -> str:
    """Return every candidate as CSV: one row a network, units in the names, how each latency was obtained."""
    import pandas as pd

    rows = []
    for index, candidate in enumerate(fronts.candidates):
        row: dict[str, Any] = {
            "key": candidate.architecture.key,
            "label": candidate.label,
            f"validation_{metric.column}": candidate.score.value,
            "params": candidate.cost.params,
            "macs": candidate.cost.macs,
            "activations": candidate.cost.activations,
            "peak_memory_bytes": candidate.cost.peak_memory_bytes,
            "size_bytes": candidate.size_bytes,
        }
        for name, latency in candidate.latency.items():
            row[f"latency_ms {name}"] = latency.value
            row[f"obtained {name}"] = latency.obtained
            row[f"on_front {name}"] = bool(fronts.on_front[name][index])
        row["chosen"] = index in fronts.chosen
        rows.append({**row, **dict(candidate.architecture.choices)})
    text: str = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    return text


def report_data(
    context: Context,
    trained: Trained,
    latencies: Sequence[TargetLatency],
    searched: Searched,
    fronts: Fronts,
    scaled: Sequence[Scaled],
    exported: Sequence[Exported],
) -> ReportData:
    """Return what the report shows."""
    metric, metric_fit = context.data.task.metric, _metric_fit(context, searched)
    return ReportData(
        study=_study(context),
        metric=ReportMetric.of(metric),
        counting=context.config.counting,
        training=tuple(_training_point(context, point) for point in trained.points),
        search=_search(searched, metric),
        fronts=tuple(_front(name, fronts, metric) for name in fronts.on_front),
        robust=robust_networks(fronts),
        predictors=(*_latency_fits(context, latencies), *metric_fit),
        networks=tuple(
            _network(context, fronts.candidates[index], metric_fit, reason, files)
            for index, reason, files in zip(fronts.chosen, fronts.reasons, exported, strict=True)
        ),
        scaling=tuple(_scaling_row(row) for row in scaled),
        notes=_notes(context, latencies, searched, fronts),
    )


def _study(context: Context) -> StudyInfo:
    config = context.config
    seconds = [(name, float(row["seconds"])) for name, row in context.study.done("stage").items()]
    return StudyInfo(
        name=config.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=config.model_dump(mode="json"),
        seed=config.seed,
        space=SpaceInfo(
            name=context.space.name,
            settings=json.loads(context.space.settings_json),
            size=str(context.space.size()),
        ),
        versions=versions(),
        machine=machine(),
        stage_seconds=tuple(seconds),
    )


def _training_point(context: Context, point: Any) -> TrainingPoint:
    scores = landmark_scores(point)
    return TrainingPoint(
        step=point["step"],
        epoch=point["network_images"] // len(context.data.training),
        images=point["network_images"],
        loss=point["loss"],
        learning_rate=point["learning_rate"],
        accuracy_smallest=scores["smallest"],
        accuracy_middle=scores["middle"],
        accuracy_largest=scores["largest"],
        groups=group_scores(point[f"group_{context.data.task.metric.name}"]),
        rollbacks=tuple(point["rollbacks"]),
    )


def _search(searched: Searched, metric: Metric) -> SearchHistory:
    runs = []
    for name, result in searched.results.items():
        history = tuple(HypervolumePoint(evaluations=n, hypervolume=v) for n, v in result.hypervolumes)
        runs.append(SearchRun(algorithm=name, history=history, final=history[-1].hypervolume))
    named = [f"{o.name} ({o.unit})" for o in searched.objectives]
    return SearchHistory(
        runs=tuple(runs),
        reference_point=dict(zip(named, searched.box.reference, strict=True)),
        normalisation="each objective scaled to the box from the reference point to the best: "
        f"{metric.title} from that of the smallest network to {metric.best:g} {metric.unit}, the others over the range "
        "of 2,000 random networks; 1 is the whole box; of several targets, the mean over the fronts of each",
        obtained=("measured", "predicted", "analytic"),
    )


def _quantity(found: Measurement, n: int | None = None) -> Quantity:
    return Quantity(value=found.value, unit=found.unit, obtained=found.obtained, spread=found.spread, n=n)


def _front(name: str, fronts: Fronts, metric: Metric) -> Front:
    candidates = tuple(
        ReportCandidate(
            key=candidate.architecture.key,
            label=candidate.label,
            accuracy=_quantity(candidate.score),
            latency_ms=_quantity(candidate.latency[name]),
            on_front=bool(fronts.on_front[name][index]),
            chosen=index in fronts.chosen,
            **_costs(candidate.cost),
        )
        for index, candidate in enumerate(fronts.candidates)
    )
    return Front(target=name, recipe=f"validation {metric.title}, {INHERITED}", candidates=candidates)


def _costs(found: Cost) -> dict[str, int]:
    return {
        "macs": found.macs,
        "params": found.params,
        "activations": found.activations,
        "peak_memory_bytes": found.peak_memory_bytes,
    }


def _latency_fits(context: Context, latencies: Sequence[TargetLatency]) -> list[PredictorFit]:
    found = []
    for latency in latencies:
        if latency.model is None:
            continue
        check = latency.model.leave_one_out()
        keys = [architecture.key for architecture in context.space.decode(latency.genes)]
        found.append(
            PredictorFit(
                title=f"latency on {latency.target.name}",
                quantity="latency_ms",
                unit="ms",
                target=latency.target.name,
                points=_points(keys, check),
                kendall_tau=check.kendall_tau,
                error=f"each of {len(keys)} timed networks predicted from the others: "
                f"median error {100 * check.median_relative_error:.1f} %, "
                f"{100 * check.coverage_90:.0f} % inside the 90 % interval",
            )
        )
    return found


def _metric_fit(context: Context, searched: Searched) -> list[PredictorFit]:
    """Return how well a model of the evaluated networks predicts each from the others."""
    result = searched.main
    column, metric = metric_column(searched.objectives), context.data.task.metric
    unit = "points" if metric.unit == "%" else metric.unit
    if len(result.genes) < 8 or np.ptp(result.values[:, column]) == 0:
        return []
    costs = np.log(PopulationCost(context.space).counts(result.genes).astype(np.float64))
    check = AccuracyModel.fit(context.space.one_hot(result.genes), costs, result.values[:, column]).leave_one_out()
    keys = [architecture.key for architecture in context.space.decode(result.genes)]
    return [
        PredictorFit(
            title=f"validation {metric.title} of the supernetwork's networks",
            quantity=f"validation_{metric.name}",
            unit=metric.unit,
            points=_points(keys, check),
            kendall_tau=check.kendall_tau,
            error=f"each of {len(keys)} evaluated networks predicted from the others: "
            f"root mean square error {check.root_mean_square_error:.2f} {unit}",
        )
    ]


def _points(keys: Sequence[str], check: Validation) -> tuple[PredictorPoint, ...]:
    rows = zip(keys, check.predicted, check.deviation, check.actual, strict=True)
    return tuple(
        PredictorPoint(key=key, predicted=float(p), spread=float(s), measured=float(a)) for key, p, s, a in rows
    )


def _network(
    context: Context, candidate: Candidate, fits: Sequence[PredictorFit], reason: str, exported: Exported
) -> ChosenNetwork:
    return ChosenNetwork(
        key=candidate.architecture.key,
        label=candidate.label,
        reason=reason,
        knobs=dict(candidate.architecture.choices),
        blueprint=context.space.blueprint(candidate.architecture).to_dict(),
        costs=Costs(**_costs(candidate.cost)),
        quantities=(*score_before(candidate, fits), *_quantities(context, candidate, exported)),
        files=tuple(ExportedFile(**file) for file in exported.files),
    )


def _quantities(context: Context, candidate: Candidate, exported: Exported) -> list[NamedQuantity]:
    found = []
    task = context.data.task
    metric = task.metric
    for score in exported.scores:
        inherited = score.weights == "inherited"
        suffix = "" if inherited else f"_{score.weights.replace('-', '_')}"
        value = Quantity(
            value=score.value,
            unit=metric.unit,
            obtained="measured",
            n=score.num_images,
            **_uncertainty(task, score, context.config.seed),
        )
        recipe = INHERITED if inherited else f"{score.weights} {context.config.finetuning.epochs} epochs alone"
        found.append(NamedQuantity(name=f"{score.split}_{metric.name}{suffix}", quantity=value, recipe=recipe))
    onnx = exported.onnx
    how = f"{exported.weights} weights; onnxruntime {onnx.onnxruntime_version}; "
    how += (
        f"largest difference of {'a logit' if task.output == 'logits' else 'an output'} {onnx.max_abs_difference:.1e}"
    )
    value = Quantity(value=onnx.score, unit=metric.unit, obtained="measured", n=onnx.num_images)
    found.append(NamedQuantity(name=f"onnx_test_{metric.name}", quantity=value, recipe=how))
    for name in candidate.latency:
        for latency in filter(None, (candidate.measured.get(name), candidate.latency[name])):
            found.append(NamedQuantity(name="latency_ms", quantity=_quantity(latency), target=name))
    return found


def _uncertainty(task: Task, score: Score, seed: int) -> dict[str, float | None]:
    """Return the interval of a share of images, or the deviation of another metric."""
    if not isinstance(task, ShareTask):
        return {"spread": score.spread}
    right = np.arange(score.num_images) < round(score.value * score.num_images / 100)
    low, high = accuracy_interval(right, seed)
    return {"lower": low, "upper": high}


def _scaling_row(row: Scaled) -> ScalingRow:
    scaled = row.solution.scaled
    return ScalingRow(
        base=row.base,
        rule=row.rule,
        factor_asked=row.solution.factor_asked,
        factor_achieved=row.solution.achieved.macs,
        resolution=scaled.blueprint.resolution,
        depths=tuple(stage.depth for stage in scaled.blueprint.stages),
        widths=tuple(stage.width for stage in scaled.blueprint.stages),
        macs=row.cost.macs,
        params=row.cost.params,
        activations=row.cost.activations,
        predicted_growth={
            "macs": scaled.predicted.macs,
            "params": scaled.predicted.params,
            "activations": scaled.predicted.activations,
        },
    )


def _notes(context: Context, latencies: Sequence[TargetLatency], searched: Searched, fronts: Fronts) -> tuple[str, ...]:
    data = context.data
    notes = [
        f"The search saw {len(data.validation)} validation images alone; the {len(data.test)} test images were used "
        "for this report, after every choice was made.",
        f"The validation {data.task.metric.title} of the chosen networks is optimistic: they were chosen by it.",
    ]
    chosen = [fronts.candidates[index] for index in fronts.chosen]
    notes.extend(check.sentence for check in check_bounds(searched.objectives, chosen))
    if fronts.left_out:
        labels = ", ".join(fronts.candidates[row].label for row in fronts.left_out)
        notes.append(f"Timed and not chosen, since above a bound when measured: {labels}.")
    notes.extend(f"Latency model on {each.target.name}: {each.reason}." for each in latencies if each.reason)
    analytic = [latency.target.name for latency in latencies if latency.model is None]
    if analytic:
        notes.append(
            f"The latency on {', '.join(analytic)} is analytic (a roofline from the data sheet): read it as a rank, "
            "not a promise, and measure before you rely on it."
        )
    names = list(searched.results)
    if len(names) > 1:
        final = {name: searched.results[name].hypervolumes[-1][1] for name in names}
        shown = ", ".join(f"{name} {value:.4f}" for name, value in final.items())
        notes.append(f"Hypervolume after {context.config.search.evaluations} evaluations each, one seed: {shown}.")
    notes.extend(f"{name} was left out: it does not decode." for name in data.skipped[:20])
    return tuple(notes)
