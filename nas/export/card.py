"""The model card: what a network is, what it costs, how good it is and how each number was obtained, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from nas.export.onnx import ONNX_FILE, OnnxReport
from nas.export.precisions import precisions
from nas.export.usage import usage
from nas.files import write_text
from nas.tasks import Task
from nas.tasks.classification import Classification
from predictors.measurement import Measurement
from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.layers import Cost
from search_spaces.precision import is_quantised

COUNTING_RULES = {
    "core": "convolutions, linear maps and attention products (activations: their output elements), nothing else",
    "fvcore": "as fvcore counts: core, and what it adds for norms and pooling",
    "pycls": "as pycls counts: core, and one more for each element that gets a bias",
}


Weights = Literal["inherited", "fine-tuned", "re-trained"]
"""Those out of the supernetwork, those trained further alone, and those trained alone from random weights."""


class Score(BaseModel):
    """The task's metric on one split, with how it was obtained.

    Attributes:
        weights: whose.
        split: the images: ``validation`` (the search saw it) or ``test`` (no choice saw it).
        value: of the metric, in its unit.
        spread: standard deviation over draws of as many images.
        num_images: in the split.
        obtained: how, in a few words: module or file, precision, BatchNorm statistics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Weights
    split: Literal["validation", "test"]
    value: float
    spread: float | None = None
    num_images: int
    obtained: str


class DataInfo(BaseModel):
    """The data, by counts.

    Attributes:
        source: what it is called.
        num_training, num_calibration, num_validation, num_test: images of each split.
        num_skipped: files left out because they do not decode.
        class_names: in the order of the logits.
        mean, std: of each channel of the training images, in 0..1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    num_training: int
    num_calibration: int
    num_validation: int
    num_test: int
    num_skipped: int = 0
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


class CardInfo(BaseModel):
    """Everything that a card says.

    Attributes:
        name: of the network, the card's title.
        origin: where it comes from, a sentence: the study and its front, or the rule, factor and base of its scaling.
        blueprint: the network.
        architecture_key: of its architecture; None outside the space.
        cost: of one image, counted by ``counting``.
        counting: name of the counting rule.
        training: the recipe of the inherited weights, a sentence.
        finetuning: the recipe of the fine-tuning, a sentence; None when there was none.
        retraining: the recipe of the re-training from scratch, a sentence; None when there was none.
        scores: each with how it was obtained.
        task: what the network does.
        latencies: one a target.
        onnx: how the ONNX file compares; None when there is none.
        data: the data.
        versions: of the software that made it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    origin: str
    blueprint: Blueprint
    architecture_key: str | None
    cost: Cost
    counting: Literal["core", "fvcore", "pycls"] = "core"
    training: str
    finetuning: str | None = None
    retraining: str | None = None
    scores: tuple[Score, ...]
    task: InstanceOf[Task] = Field(default_factory=Classification)
    latencies: tuple[Measurement, ...] = ()
    onnx: OnnxReport | None = None
    data: DataInfo
    versions: dict[str, str] = Field(default_factory=dict)


def write_card(path: Path, info: CardInfo) -> None:
    """Write the card of ``info`` to ``path``, beside the files it describes, at once.

    Raises:
        StorageError: the folder can't be written.
    """
    write_text(path, card(info))


def card(info: CardInfo) -> str:
    """Return the card as Markdown."""
    sections = (
        _introduction(info),
        _architecture(info.blueprint),
        precisions(info.blueprint),
        _cost(info),
        _scores(info),
        _latency(info.latencies),
        _onnx(info),
        _data(info.data),
        usage(info.blueprint, info.onnx is not None, info.task),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _introduction(info: CardInfo) -> str:
    blueprint = info.blueprint
    height, width = blueprint.resolution
    key = (
        f" Architecture `{info.architecture_key}`." if info.architecture_key else " It stands outside its search space."
    )
    lines = [
        f"# {_text(info.name)}",
        f"{_kind(info.task)} of the family `{blueprint.family}`: {blueprint.in_channels} x {height} x {width} pixels "
        f"in, {_outputs(info)} out. {_text(info.origin)}{key}",
        *_training(info),
    ]
    if info.versions:
        lines.append("Made with " + ", ".join(f"{_text(k)} {_text(v)}" for k, v in sorted(info.versions.items())) + ".")
    return "\n\n".join(lines)


def _training(info: CardInfo) -> tuple[str, str]:
    if info.retraining:
        return f"Inherited weights: {_text(info.training)}", f"Re-training: {_text(info.retraining)}"
    tuning = info.finetuning or "none; the weights are those of the supernetwork."
    return f"Weights: {_text(info.training)}", f"Fine-tuning: {_text(tuning)}"


def _kind(task: Task) -> str:
    return "An image classifier" if task.name == "classification" else f"A network that {_text(task.does)},"


def _outputs(info: CardInfo) -> str:
    width = info.blueprint.num_classes
    return f"{width} classes" if info.data.class_names else f"{width} channels of {info.task.output}"


def _architecture(blueprint: Blueprint) -> str:
    rows = []
    for stage, blocks in groupby(blueprint.placed(), key=lambda placed: placed.name.partition(".")[0]):
        placed = list(blocks)
        first = placed[0]
        size = f"{first.in_width} x {first.in_size[0]} x {first.in_size[1]}"
        rows.append((stage, len(placed), size, first.out_width, _described(placed)))
    return "## Architecture\n\n" + _table(("stage", "blocks", "input", "width", "what"), rows)


def _described(placed: Sequence[PlacedBlock]) -> str:
    """Return kinds and settings of a stage's blocks: one value where all agree, else one a block, in order."""
    arguments = [block.arguments for block in placed]
    names = sorted({name for block in arguments for name in block})
    settings = [f"{name} {_values([block.get(name, '-') for block in arguments])}" for name in names]
    return "; ".join([_values([block.kind for block in placed]), *settings])


def _values(values: Sequence[object]) -> str:
    shown = values[:1] if len(set(values)) == 1 else values
    return ", ".join(map(str, shown))


def _cost(info: CardInfo) -> str:
    cost = info.cost
    rows = (
        ("parameters", f"{cost.params:,}"),
        ("MACs", f"{cost.macs:,}"),
        ("activations", f"{cost.activations:,}"),
        ("peak memory, float32 inference (estimate)", f"{cost.peak_memory_bytes / 2**20:,.2f} MiB"),
    )
    return (
        "## Cost of one image\n\n"
        + _table(("what", "count"), rows)
        + f"\n\nCounting rule `{info.counting}`, in closed form: {COUNTING_RULES[info.counting]}. "
        "A MAC is one multiply-accumulate; FLOPs are twice as many."
    )


def _scores(info: CardInfo) -> str:
    metric = info.task.metric
    rows = [(s.weights, s.split, metric.text(s.value), f"{s.num_images:,}", s.obtained) for s in info.scores]
    title, column = ("Accuracy", "top-1") if metric.name == "accuracy" else ("Quality", metric.title)
    return (
        f"## {title}\n\n"
        + _table(("weights", "images", column, "number", "how obtained"), rows)
        + "\n\nThe search saw the validation images; no choice saw the test images."
    )


def _latency(latencies: Sequence[Measurement]) -> str:
    if not latencies:
        return ""
    rows = []
    for latency in latencies:
        spread = "" if latency.spread is None else f" ± {latency.spread:.3g}"
        versions = ", ".join(f"{name} {version}" for name, version in sorted(latency.versions.items()))
        rows.append((latency.target, f"{latency.value:.4g}{spread} {latency.unit}", latency.obtained, versions))
    return "## Latency\n\n" + _table(("target", "latency", "how obtained", "with"), rows)


def _onnx(info: CardInfo) -> str:
    report, task = info.onnx, info.task
    if report is None:
        return ""
    module = "simulation of it in PyTorch" if is_quantised(info.blueprint) else "PyTorch module"
    return (
        f"## ONNX\n\n`{ONNX_FILE}` (opset {report.opset}) was run by onnxruntime {report.onnxruntime_version} on the "
        f"CPU over {report.num_images:,} held-out images: {_compared(report, task, module)}; the largest absolute "
        f"difference of two {'logits' if task.output == 'logits' else 'outputs'} is {report.max_abs_difference:.2g}."
    )


def _compared(report: OnnxReport, task: Task, module: str) -> str:
    if task.name == "classification":
        found = f"{report.score:.2f} % correct, the {module} {report.module_score:.2f} %"
        return f"{found}; both predict the same class on {report.agreement_percent:.2f} % of them"
    scores = f"{task.metric.title} {task.metric.text(report.score)}, the {module} "
    return scores + task.metric.text(report.module_score)


def _data(data: DataInfo) -> str:
    skipped = f" {data.num_skipped:,} files that do not decode were left out." if data.num_skipped else ""
    classes = f"{len(data.class_names)} classes: {', '.join(map(_text, data.class_names))}.\n\n"
    return (
        f"## Data\n\n{_text(data.source)}: {data.num_training:,} images for training, {data.num_calibration:,} for "
        f"BatchNorm statistics, {data.num_validation:,} for validation, {data.num_test:,} for the test.{skipped}\n\n"
        + (classes if data.class_names else "")
        + f"Mean of each channel: {_numbers(data.mean)}; standard deviation: {_numbers(data.std)} (of values in 0..1)."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *([_text(str(cell)) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is, on one line."""
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>|#" else letter for letter in " ".join(text.split()))


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
