"""The model card: what a network is, what it costs, how good it is and how each number was obtained, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nas.export.onnx import ONNX_FILE, OnnxReport
from nas.export.precisions import precisions
from nas.export.usage import usage
from nas.files import write_text
from predictors.measurement import Measurement
from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.layers import Cost
from search_spaces.precision import is_quantised

COUNTING_RULES = {
    "core": "convolutions, linear maps and attention products (activations: their output elements), nothing else",
    "fvcore": "as fvcore counts: core, and what it adds for norms and pooling",
    "pycls": "as pycls counts: core, and one more for each element that gets a bias",
}


class Accuracy(BaseModel):
    """One top-1 accuracy, with how it was obtained.

    Attributes:
        weights: whose: as they came out of the supernetwork, or after fine-tuning.
        split: the images: ``validation`` (the search saw it) or ``test`` (no choice saw it).
        percent: of the images that are classified correctly.
        num_images: in the split.
        obtained: how, in a few words: module or file, precision, BatchNorm statistics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Literal["inherited", "fine-tuned"]
    split: Literal["validation", "test"]
    percent: float
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
        training: the recipe of the weights before fine-tuning, a sentence.
        finetuning: the recipe of the fine-tuning, a sentence; None when there was none.
        accuracies: each with how it was obtained.
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
    accuracies: tuple[Accuracy, ...]
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
        _accuracy(info),
        _latency(info.latencies),
        _onnx(info.onnx, info.blueprint),
        _data(info.data),
        usage(info.blueprint, info.onnx is not None),
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
        f"An image classifier of the family `{blueprint.family}`: {blueprint.in_channels} x {height} x {width} pixels "
        f"in, {blueprint.num_classes} classes out. {_text(info.origin)}{key}",
        f"Weights: {_text(info.training)}",
        f"Fine-tuning: {_text(info.finetuning or 'none; the weights are those of the supernetwork.')}",
    ]
    if info.versions:
        lines.append("Made with " + ", ".join(f"{_text(k)} {_text(v)}" for k, v in sorted(info.versions.items())) + ".")
    return "\n\n".join(lines)


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


def _accuracy(info: CardInfo) -> str:
    rows = [(a.weights, a.split, f"{a.percent:.2f} %", f"{a.num_images:,}", a.obtained) for a in info.accuracies]
    return (
        "## Accuracy\n\n"
        + _table(("weights", "images", "top-1", "number", "how obtained"), rows)
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


def _onnx(report: OnnxReport | None, blueprint: Blueprint) -> str:
    if report is None:
        return ""
    module = "simulation of it in PyTorch" if is_quantised(blueprint) else "PyTorch module"
    return (
        f"## ONNX\n\n`{ONNX_FILE}` (opset {report.opset}) was run by onnxruntime {report.onnxruntime_version} on the "
        f"CPU over {report.num_images:,} held-out images: {report.accuracy_percent:.2f} % correct, the {module} "
        f"{report.module_accuracy_percent:.2f} %; both predict the same class on {report.agreement_percent:.2f} % "
        f"of them; the largest absolute difference of two logits is {report.max_abs_difference:.2g}."
    )


def _data(data: DataInfo) -> str:
    skipped = f" {data.num_skipped:,} files that do not decode were left out." if data.num_skipped else ""
    return (
        f"## Data\n\n{_text(data.source)}: {data.num_training:,} images for training, {data.num_calibration:,} for "
        f"BatchNorm statistics, {data.num_validation:,} for validation, {data.num_test:,} for the test.{skipped}\n\n"
        f"{len(data.class_names)} classes: {', '.join(map(_text, data.class_names))}.\n\n"
        f"Mean of each channel: {_numbers(data.mean)}; standard deviation: {_numbers(data.std)} (of values in 0..1)."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *([_text(str(cell)) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is, on one line."""
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>|#" else letter for letter in " ".join(text.split()))


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
