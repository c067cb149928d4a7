"""A report as a run would leave it: a MobileNet-like and a ViT-like network, a hundred candidates on three targets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.report.data import (
    Candidate,
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
    ScalingRow,
    SearchHistory,
    SearchRun,
    SpaceInfo,
    StudyInfo,
    TrainingPoint,
)
from experiments.report.table import EvaluatedTable, table_knobs
from search_spaces.blueprint import Block, Blueprint, Stage

TARGETS = {
    "cpu fp32 b1": ("measured", 1.0),
    "h200 bf16 b64": ("analytic", 0.12),
    "jetson-orin fp16 b8": ("predicted", 4.0),
}
RECIPE = "inherited weights, BatchNorm of 256 calibration images, 360 validation images"


def make_mobile() -> Blueprint:
    """Return a MobileNetV3-like network of twenty-two blocks at 224 pixels."""
    widths, strides, depths = (24, 40, 80, 112, 160), (2, 2, 2, 1, 2), (3, 4, 4, 3, 4)
    stages = [Stage("stage1", 16, (Block.of("mbconv", kernel=3, expansion=1, stride=1, activation="relu"),))]
    for index, (width, stride, depth) in enumerate(zip(widths, strides, depths, strict=True)):
        blocks = tuple(
            Block.of(
                "mbconv",
                kernel=(3, 5, 7)[(index + number) % 3],
                expansion=(3, 4, 6)[(index * number) % 3],
                stride=stride if number == 0 else 1,
                squeeze_excite=index in (1, 3, 4),
            )
            for number in range(depth)
        )
        stages.append(Stage(f"stage{index + 2}", width, blocks))
    stem = Stage("stem", 16, (Block.of("conv_stem", kernel=3, stride=2, activation="hard_swish"),))
    head = Stage("head", 1000, (Block.of("mobile_head", expand_width=960, mix_width=1280),))
    return Blueprint("ofa_mobilenet", 3, (224, 224), stem, tuple(stages), head)


def make_vit() -> Blueprint:
    """Return an AutoFormer-like network of thirteen blocks."""
    blocks = tuple(
        Block.of("relative_transformer", heads=3 + number % 2, head_dim=64, mlp_ratio=(3.5, 4.0)[number % 2])
        for number in range(13)
    )
    stem = Stage("stem", 192, (Block.of("patch_embed", stride=16),))
    head = Stage("head", 1000, (Block.of("token_head", pooling="mean"),))
    return Blueprint("autoformer", 3, (224, 224), stem, (Stage("stage1", 192, blocks),), head)


def make_candidates(target: str, num: int = 100) -> tuple[Candidate, ...]:
    """Return candidates whose front is computed, as a search would leave them on ``target``."""
    obtained, scale = TARGETS[target]
    networks = np.random.default_rng(1)
    macs = np.exp(networks.uniform(math.log(2e6), math.log(9e7), num))
    accuracy = 98.6 - 22 * (macs / 1e6) ** -0.8 - networks.exponential(0.5, num)
    rng = np.random.default_rng(len(target))
    latency = scale * (0.8 + (macs / 1e6) ** 0.6 * rng.uniform(0.5, 1.1, num))
    order = np.argsort(latency)
    best, front = -1.0, set()
    for index in order:
        if accuracy[index] > best:
            best = accuracy[index]
            front.add(int(index))
    by_accuracy = np.argsort(-accuracy)
    picked = {int(by_accuracy[0]): "balanced", int(by_accuracy[num // 2]): "fast"}
    return tuple(
        Candidate(
            key=f"{index:016x}",
            label=picked.get(index, f"net-{index:03d}"),
            accuracy=Quantity(value=accuracy[index], unit="%", obtained="measured", spread=0.21, n=360),
            latency_ms=Quantity(
                value=latency[index],
                unit="ms",
                obtained=obtained if index in front or obtained != "measured" else "predicted",
                spread=None if obtained == "analytic" else 0.04 * latency[index],
            ),
            macs=int(macs[index]),
            params=int(macs[index] ** 0.7),
            activations=int(macs[index] ** 0.75),
            peak_memory_bytes=int(4 * macs[index] ** 0.72),
            on_front=index in front,
            chosen=index in picked,
        )
        for index in range(num)
    )


def make_training(num: int = 120) -> tuple[TrainingPoint, ...]:
    """Return a training run of ``num`` points whose first loss is not a number."""
    rng = np.random.default_rng(3)
    points = []
    for number in range(num):
        share = number / (num - 1)
        evaluated = number % 12 == 11
        points.append(
            TrainingPoint(
                step=10 * number,
                epoch=number // 4,
                images=10 * number * 64,
                loss=float("nan") if number == 0 else 0.55 + 1.75 * math.exp(-5 * share) + float(rng.normal(0, 0.02)),
                learning_rate=0.4 * min(1.0, share / 0.08) * 0.5 * (1 + math.cos(math.pi * share)),
                accuracy_smallest=96.1 - 60 * math.exp(-7 * share) if evaluated else None,
                accuracy_middle=97.4 - 50 * math.exp(-7 * share) if evaluated else None,
                accuracy_largest=98.0 - 45 * math.exp(-7 * share) if evaluated else None,
            )
        )
    return tuple(points)


def make_search() -> SearchHistory:
    """Return the histories of NSGA-II and random search."""

    def run(algorithm: str, end: float, speed: float) -> SearchRun:
        points = [
            HypervolumePoint(evaluations=n, hypervolume=end - 0.32 * math.exp(-speed * n / 1200))
            for n in range(40, 1201, 40)
        ]
        return SearchRun(algorithm=algorithm, history=tuple(points), final=points[-1].hypervolume)

    return SearchHistory(
        runs=(run("random", 0.786, 5), run("nsga2", 0.842, 6)),
        reference_point={"validation_error_%": 15.0, "latency_ms": 20.0},
        normalisation="each objective divided by the reference point's, so that 1 is the whole box",
        obtained=("measured", "predicted"),
    )


def make_fit(
    title: str, quantity: str, unit: str, low: float, high: float, error: str, target: str = ""
) -> PredictorFit:
    """Return a predictor's scatter over sixty networks."""
    rng = np.random.default_rng(len(title))
    measured = np.exp(rng.uniform(math.log(low), math.log(high), 60))
    width = 0.04 * (high - low) if high / low < 2 else 0.08 * measured
    predicted = measured + rng.normal(0, 1, 60) * width
    points = tuple(
        PredictorPoint(key=f"{index:016x}", predicted=p, measured=m, spread=s)
        for index, (p, m, s) in enumerate(zip(predicted, measured, np.broadcast_to(width, 60), strict=True))
    )
    return PredictorFit(
        title=title, quantity=quantity, unit=unit, target=target, points=points, kendall_tau=0.874, error=error
    )


def make_network(key: str, label: str, blueprint: Blueprint, reason: str) -> ChosenNetwork:
    """Return a chosen network with everything that a run knows about it."""

    def percent(value: float, spread: float) -> Quantity:
        return Quantity(
            value=value, unit="%", obtained="measured", spread=spread, lower=value - 1.3, upper=value + 0.9, n=360
        )

    def named(name: str, quantity: Quantity, recipe: str, target: str = "") -> NamedQuantity:
        return NamedQuantity(name=name, quantity=quantity, recipe=recipe, target=target)

    return ChosenNetwork(
        key=key,
        label=label,
        reason=reason,
        knobs={"resolution": 224, "width": 1.0, "stage2.depth": 3, "stage2.block1.kernel": 5, "kind": "mbconv"},
        blueprint=blueprint.to_dict(),
        costs=Costs(macs=244_945_104, params=4_536_768, activations=5_210_112, peak_memory_bytes=31_400_000),
        quantities=(
            named("validation_accuracy", percent(97.78, 0.21), RECIPE),
            named("test_accuracy", percent(97.22, 0.24), "inherited weights, seen by this report alone"),
            named("test_accuracy_fine_tuned", percent(98.06, 0.19), "fine-tuned for 5 epochs, mean of 3 seeds"),
            named("onnx_test_accuracy", percent(98.06, 0.19), "onnxruntime 1.32, largest difference of logits 3e-6"),
            named(
                "latency_ms",
                Quantity(value=3.42, unit="ms", obtained="measured", spread=0.11, n=50),
                "median of 50 after 10 warm-up runs",
                "cpu fp32 b1",
            ),
            named(
                "latency_ms",
                Quantity(value=0.41, unit="ms", obtained="analytic"),
                "roofline, lower bound",
                "h200 bf16 b64",
            ),
            named(
                "latency_ms",
                Quantity(value=13.7, unit="ms", obtained="predicted", spread=0.6),
                "structural model fitted to 40 networks",
                "jetson-orin fp16 b8",
            ),
        ),
        files=(
            ExportedFile(name=f"models/{label}/model.safetensors", num_bytes=18_147_072, sha256="5f" * 32),
            ExportedFile(name=f"models/{label}/model.onnx", num_bytes=18_391_110, sha256="a1" * 32),
        ),
    )


def make_scaling() -> tuple[ScalingRow, ...]:
    """Return two networks scaled by two rules."""
    return tuple(
        ScalingRow(
            base=base,
            rule=rule,
            factor_asked=factor,
            factor_achieved=factor * 0.965,
            resolution=(int(224 * factor**grow), int(224 * factor**grow)),
            depths=(1, 3, 4, 4, 3, 5),
            widths=(16, 32, 48, 96, 136, 192),
            macs=int(244_945_104 * factor * 0.965),
            params=int(4_536_768 * factor**0.9),
            activations=int(5_210_112 * factor**0.6),
            predicted_growth={"macs": factor, "params": factor**0.9, "activations": factor**0.6},
        )
        for base in ("balanced", "fast")
        for rule, grow in (("efficientnet", 0.2), ("fast", 0.05))
        for factor in (0.5, 2.0, 4.0)
    )


def make_table() -> EvaluatedTable:
    """Return the candidates of the first two targets as columns, with four knobs."""
    first, second = (make_candidates(target) for target in list(TARGETS)[:2])
    rng = np.random.default_rng(5)
    depth, kernel = rng.integers(2, 5, len(first)), rng.choice([3, 5, 7], len(first))
    choices = [
        {
            "depth": int(d),
            "kind": "mbconv" if d == 2 else "fused",
            "width": 1.0,
            **({"kernel": int(k)} if d > 2 else {}),
        }
        for d, k in zip(depth, kernel, strict=True)
    ]
    columns = [
        ("validation_accuracy", "Validation accuracy", "%", "max", "measured", [c.accuracy.value for c in first]),
        ("latency_ms@a", "Latency on cpu fp32 b1", "ms", "min", "measured", [c.latency_ms.value for c in first]),
        ("latency_ms@b", "Latency on h200", "ms", "min", "analytic", [c.latency_ms.value for c in second]),
        ("macs", "MACs", "count", "min", "analytic", [None, *(float(c.macs) for c in first[1:])]),
    ]
    names = ("name", "title", "unit", "direction", "obtained", "values")
    return EvaluatedTable.model_validate(
        {
            "keys": [c.key for c in first],
            "labels": [c.label for c in first],
            "chosen": [row for row, c in enumerate(first) if c.chosen],
            "columns": [dict(zip(names, (*column[:4], (column[4],), column[5]), strict=True)) for column in columns],
            "knobs": [knob.model_dump() for knob in table_knobs(choices)],
            "num_evaluated": len(first),
        }
    )


@pytest.fixture(scope="session")
def mobile_blueprint() -> Blueprint:
    """Return a MobileNetV3-like network."""
    return make_mobile()


@pytest.fixture(scope="session")
def vit_blueprint() -> Blueprint:
    """Return an AutoFormer-like network."""
    return make_vit()


@pytest.fixture(scope="session")
def report_data() -> ReportData:
    """Return the whole report's data."""
    return ReportData(
        study=StudyInfo(
            name="digits-2025",
            created="2025-11-22 18:43 UTC",
            settings={
                "training": {"epochs": 30, "batch_size": 64, "sampler": "sorted", "ema": 0.999},
                "search": {"algorithm": "nsga2", "population": 40, "bounds": {"latency_ms": [None, 20.0]}},
                "targets": list(TARGETS),
                "extra": {},
            },
            seed=7,
            space=SpaceInfo(name="ofa_mobilenet", settings={"num_classes": 10}, size="21766934310826352640"),
            versions={"nas": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6", "onnxruntime": "1.32.0"},
            machine={"cpu": "2 cores", "memory": "7.8 GB", "gpu": "none", "threads": "2"},
            stage_seconds=(
                ("training", 96.2),
                ("measuring", 31.5),
                ("search", 58.1),
                ("export", 24.0),
                ("scaling", 0.4),
            ),
        ),
        training=make_training(),
        search=make_search(),
        fronts=tuple(Front(target=target, recipe=RECIPE, candidates=make_candidates(target)) for target in TARGETS),
        predictors=(
            make_fit("Latency model", "latency", "ms", 2, 60, "median error 4.1 %", "cpu fp32 b1"),
            make_fit("Accuracy model", "accuracy", "%", 92, 98.4, "mean absolute error 0.31 points"),
        ),
        networks=(
            make_network("00000000000000a1", "balanced", make_mobile(), "the knee of the front on cpu fp32 b1"),
            make_network("00000000000000b2", "fast", make_vit(), "the fastest with at least 97 % on validation data"),
        ),
        scaling=make_scaling(),
        table=make_table(),
        notes=(
            "The search saw validation data only; test data was used in this report alone.",
            "Latency on h200 bf16 b64 is a roofline: a lower bound that ranks well and is often 30 % too small.",
            "Accuracies are of one training run; ± is one standard deviation over resampled validation images.",
        ),
    )


@pytest.fixture(scope="session")
def bare_data() -> ReportData:
    """Return the least that a report can hold."""
    space = SpaceInfo(name="autoformer", size="12")
    return ReportData(study=StudyInfo(name="bare", created="2025-11-22", seed=0, space=space))
