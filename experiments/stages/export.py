"""Stage 6: extract the chosen networks, train them alone, write and check their files, and test them once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from experiments.context import Context
from experiments.machine import versions
from experiments.stages.final_training import recipe, weights_by_name
from experiments.stages.fronts import Candidate, Fronts
from experiments.stages.training import Trained
from nas.evaluation import Batches, module_rows
from nas.export.card import CardInfo, DataInfo, Score, Weights, write_card
from nas.export.onnx import ONNX_FILE, OnnxReport, check_onnx, write_onnx
from nas.export.quantised_onnx import write_quantised_onnx
from nas.export.safetensors import ARCHITECTURE_FILE, MODEL_FILE, ModelInfo, write_model
from nas.quantisation.simulate import simulated
from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.precision import is_quantised

CARD_FILE = "README.md"
FILES = (MODEL_FILE, ARCHITECTURE_FILE, ONNX_FILE, CARD_FILE)


@dataclass(frozen=True)
class Exported:
    """What was written for one chosen network, and how good it is; plain data, as stored.

    Attributes:
        weights: whose were written: those trained alone, unless they do worse on validation images than the inherited.
        scores: of both.
        onnx: how the ONNX file compares.
        files: name (relative to the study's folder where it is below it), num_bytes, sha256 of each.
    """

    key: str
    weights: Weights
    scores: tuple[Score, ...]
    onnx: OnnxReport
    files: tuple[dict[str, Any], ...]

    def score(self, split: str) -> Score:
        """Return the task's metric of the written weights on a split."""
        return _score_of(self.scores, self.weights, split)


def export_networks(context: Context, trained: Trained, fronts: Fronts) -> list[Exported]:
    """Export every chosen network; one that is written already, with its files unchanged, is kept."""
    with context.stage("export"):
        return [_export(context, trained, fronts.candidates[index]) for index in fronts.chosen]


def _export(context: Context, trained: Trained, candidate: Candidate) -> Exported:
    key = candidate.architecture.key
    stored = stored_export(context, candidate.architecture)
    if stored is not None and _unchanged(context.folder, stored.files):
        return stored
    context.study.begin("export", key)
    exported = export_network(context, trained, candidate, context.folder / "models" / candidate.label)
    context.study.finish("export", key, _content(exported), (), candidate.architecture)
    final, metric = exported.score("test"), context.data.task.metric
    context.talk.say(
        f"{candidate.label}: {final.weights} test {metric.title} {metric.text(final.value)}, as ONNX "
        f"{metric.text(exported.onnx.score)} (largest difference {exported.onnx.max_abs_difference:.1e})"
    )
    return exported


def stored_export(context: Context, architecture: Architecture) -> Exported | None:
    """Return what the study exported of a network; None where it did not."""
    stored = context.study.done("export").get(architecture.key)
    # A row without scores is of an earlier version: its network is written again.
    return _read(architecture.key, stored) if stored is not None and "scores" in stored else None


def export_network(context: Context, trained: Trained, candidate: Candidate, folder: Path) -> Exported:
    """Extract one network, train it alone, test it and write it into ``folder``."""
    blueprint = context.space.blueprint(candidate.architecture)
    statistics = trained.evaluator(context).statistics(blueprint)
    inherited = trained.shared.extract(blueprint, trained.average, statistics)
    modules = weights_by_name(context, blueprint, inherited)
    served = {name: _as_served(context, blueprint, module) for name, module in modules.items()}
    scores, metric = _scores(context, blueprint, served), context.data.task.metric
    best: Weights = max(reversed(modules), key=lambda name: metric.rank(_score_of(scores, name, "validation").value))
    report = _write(context, candidate.architecture, blueprint, modules[best], served[best], folder)
    write_card(folder / CARD_FILE, _card(context, candidate, blueprint, best, scores, report))
    return Exported(candidate.architecture.key, best, scores, report, _files(context.folder, folder))


def _as_served(context: Context, blueprint: Blueprint, module: nn.Module) -> nn.Module:
    """Return what computes as the ONNX file will: the module itself, or its quantised form simulated."""
    if not is_quantised(blueprint):
        return module
    return simulated(module, blueprint, Batches(context.data.calibration, context.data).at(blueprint.resolution))


def _score_of(scores: Sequence[Score], weights: str, split: str) -> Score:
    return next(found for found in scores if (found.weights, found.split) == (weights, split))


def _scores(context: Context, blueprint: Blueprint, modules: dict[Weights, nn.Module]) -> tuple[Score, ...]:
    """Return the task's metric of each module on validation and test images."""
    found, task = [], context.data.task
    for weights, module in modules.items():
        for split, images in (("validation", context.data.validation), ("test", context.data.test)):
            rows = module_rows(module, Batches(images, context.data), blueprint.resolution, task)
            how = "its precisions simulated in" if is_quantised(blueprint) else "plain"
            how += " PyTorch module, float32, statistics of the calibration images"
            found.append(
                Score.model_validate(
                    {
                        "weights": weights,
                        "split": split,
                        "value": task.value(rows),
                        "spread": task.spread(rows),
                        "num_images": len(images),
                        "obtained": how,
                    }
                )
            )
    return tuple(found)


def _write(
    context: Context,
    architecture: Architecture,
    blueprint: Blueprint,
    module: nn.Module,
    served: nn.Module,
    folder: Path,
) -> OnnxReport:
    task = context.data.task
    info = ModelInfo(
        blueprint=blueprint,
        class_names=context.data.class_names,
        mean=context.data.mean,
        std=context.data.std,
        architecture=architecture,
        metadata={} if task.name == "classification" else {"task": task.identity()},
    )
    write_model(folder, module, info)
    if is_quantised(blueprint):
        calibration = Batches(context.data.calibration.to("cpu"), context.data).at(blueprint.resolution)
        write_quantised_onnx(folder / ONNX_FILE, module, blueprint, calibration, task.output)
    else:
        write_onnx(folder / ONNX_FILE, module, blueprint, task.output)
    test = context.data.test.to("cpu")
    batches = Batches(test, context.data).at(blueprint.resolution)
    return check_onnx(folder / ONNX_FILE, served.cpu(), batches, test.truth, task)


def _card(
    context: Context,
    candidate: Candidate,
    blueprint: Blueprint,
    weights: Weights,
    scores: Sequence[Score],
    report: OnnxReport,
) -> CardInfo:
    config, data = context.config, context.data
    training, alone = config.training, recipe(config, data.task, weights)
    tuned = config.finetuning.start == "inherited"
    sizes = {f"num_{name}": len(getattr(data, name)) for name in ("training", "calibration", "validation", "test")}
    return CardInfo(
        name=f"{config.name}-{candidate.label}",
        origin=f"Found by {config.search.algorithm} in study {config.name} (seed {config.seed}).",
        blueprint=blueprint,
        architecture_key=candidate.architecture.key,
        cost=candidate.cost,
        counting=config.counting,
        training=f"a prefix of one shared set of weights: {training.epochs} epochs, {training.sampler} sampling of "
        f"{training.networks_per_step} networks a step, {training.optimiser}, learning rate "
        f"{training.learning_rate:g}, batch {training.batch_size}, moving average {training.ema_decay:g}.",
        finetuning=alone if tuned else None,
        retraining=None if tuned else alone,
        scores=tuple(scores),
        task=data.task,
        latencies=(*candidate.measured.values(), *candidate.latency.values()),
        onnx=report,
        data=DataInfo(
            source=config.data.source,
            num_skipped=len(data.skipped),
            class_names=data.class_names,
            mean=data.mean,
            std=data.std,
            **sizes,
        ),
        versions=versions(),
    )


def _files(root: Path, folder: Path) -> tuple[dict[str, Any], ...]:
    found = []
    for name in FILES:
        content = (folder / name).read_bytes()
        path = (folder / name).relative_to(root) if folder.is_relative_to(root) else folder / name
        found.append(
            {"name": path.as_posix(), "num_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        )
    return tuple(found)


def _unchanged(root: Path, files: Sequence[dict[str, Any]]) -> bool:
    """Return whether every file is there with the content that was stored."""
    for file in files:
        path = root / file["name"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
            return False
    return True


def _content(exported: Exported) -> dict[str, Any]:
    return {
        "weights": exported.weights,
        "scores": [score.model_dump(mode="json") for score in exported.scores],
        "onnx": asdict(exported.onnx),
        "files": list(exported.files),
    }


def _read(key: str, stored: dict[str, Any]) -> Exported:
    scores = tuple(Score.model_validate(row) for row in stored["scores"])
    return Exported(key, stored["weights"], scores, OnnxReport(**stored["onnx"]), tuple(stored["files"]))
