"""Precisions searched with the architecture, against all int8 and against float32, at the same number of evaluations.

SimQ-NAS (arXiv 2312.13301). The three searches share the supernetwork of their seed, and a latency model of networks
timed in ONNX Runtime; accuracies are of quantised networks simulated on validation images. Some networks of each joint
front are exported and run by ONNX Runtime over the whole test split.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.quantised_search import Problem
    from experiments.stages.latency import TargetLatency
    from search_spaces.architecture import Architecture


@benchmarks.register("quantisation")
def run(
    out: Path = Path("runs/quantisation"),
    data: str = "digits",
    fashion_mnist: str = "",
    evaluations: int = 60,
    seeds: int = 3,
    algorithm: str = "ehvi",
    measured_networks: int = 60,
    exported: int = 2,
    granularity: str = "block",
) -> dict[str, Any]:
    """Search precisions and architecture together, all int8, and float32: hypervolume over accuracy, latency, size.

    Args:
        out: folder of the journal; a run that was killed goes on from it.
        data: digits, fashion_mnist or both, separated by a comma.
        fashion_mnist: folder of its four original .gz files.
        evaluations: distinct networks of each search.
        seeds: of weights and searches, from 0 on.
        algorithm: of all three searches.
        measured_networks: timed to learn the latency.
        exported: networks of each joint front of seed 0 that onnxruntime runs over the test images.
        granularity: of the precisions of the joint search: block or layer.
    """
    from experiments.journal import Journal
    from experiments.machine import machine, versions
    from experiments.quantised_search import STEPS, learn_latency

    sources = data.split(",")
    if wrong := [name for name in sources if name not in STEPS]:
        raise UsageError(f"data got {wrong[0]!r}: allowed: {', '.join(STEPS)}, separated by commas")
    if "fashion_mnist" in sources and not fashion_mnist:
        raise UsageError("fashion_mnist got no folder: give the folder of its four .gz files")
    if min(evaluations, seeds) < 1 or measured_networks < 5 or exported < 0:
        raise UsageError(
            f"evaluations is {evaluations}, seeds {seeds}, measured_networks {measured_networks}, exported {exported}: "
            "give at least 1, 1, 5 and 0"
        )
    journal = Journal(out / "quantisation.jsonl")
    latency = learn_latency(journal, measured_networks, granularity)
    rows, parity = [], []
    for source in sources:
        path = fashion_mnist if source == "fashion_mnist" else ""
        for seed in range(seeds):
            row, found = _compare(_problem(source, path, seed, journal, latency), algorithm, evaluations, exported)
            rows.append(row)
            parity.extend(found)
    return {
        "benchmark": "quantisation",
        "space": "resnet, small_image, 14 pixels, widths 0.5, 1, 1.5",
        "evaluations": evaluations,
        "algorithm": algorithm,
        "granularity": granularity,
        "latency": _latency(latency),
        "hypervolumes": rows,
        "means": [_mean(rows, source) for source in sources],
        "onnxruntime": parity,
        "machine": machine(),
        "versions": versions(),
    }


def _latency(latency: TargetLatency) -> dict[str, Any]:
    """Return what was timed and how well each network is predicted from the others."""
    check = latency.model.leave_one_out() if latency.model else None
    assert check is not None, "networks were timed"
    return {
        "of": "a batch of 64 in onnxruntime, processor time of one thread",
        "timed_networks": len(latency.measured_ms),
        "least_ms": round(float(latency.measured_ms.min()), 3),
        "most_ms": round(float(latency.measured_ms.max()), 3),
        "kendall_tau": round(check.kendall_tau, 3),
        "median_error_percent": round(100 * check.median_relative_error, 1),
        "model": latency.reason,
    }


def _problem(source: str, path: str, seed: int, journal: Any, latency: Any) -> Problem:
    from experiments.quantised_search import Problem

    return Problem(source, path, seed, journal, latency)


def _compare(
    problem: Problem, algorithm: str, evaluations: int, exported: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the hypervolumes of the three searches, and how exported networks of the joint front (seed 0) do."""
    from experiments.quantised_search import SEARCHES, search
    from experiments.talk import Talk
    from nas.search.selection import choose

    row: dict[str, Any] = {"data": problem.source, "seed": problem.seed}
    parity: list[dict[str, Any]] = []
    for name in SEARCHES:
        share, front, values = search(problem, name, algorithm, evaluations)
        row[name] = round(share, 4)
        row[f"{name}_front"] = len(front)
        if name == "joint" and problem.seed == 0 and exported:
            picked = front[choose(values, problem.objectives, exported)]
            parity = [_in_onnxruntime(problem, each) for each in problem.joint.decode(picked)]
    Talk().say(", ".join(f"{key} {value}" for key, value in row.items()))
    return row, parity


def _in_onnxruntime(problem: Problem, architecture: Architecture) -> dict[str, Any]:
    """Export a network with its weights, run it over the test split and time it, beside what the search believed."""
    from experiments.quantised_search import timed

    key = {"onnxruntime": architecture.key, "source": problem.source, "seed": problem.seed}
    found = problem.journal.get(key)
    if found is None:
        found = problem.journal.add(key, _exported(problem, architecture))
    predicted = float(problem.latency.predict(problem.joint.encode([architecture]))[0][0])
    measured = timed(problem.journal, problem.joint, architecture)["latency_ms"]
    ms = {"predicted_ms": round(predicted, 3), "measured_ms": round(measured, 3)}
    return {"data": problem.source, "network": architecture.key, **found, **ms}


def _exported(problem: Problem, architecture: Architecture) -> dict[str, Any]:
    from nas.evaluation import Batches
    from nas.export.onnx import check_onnx
    from nas.export.quantised_onnx import write_quantised_onnx
    from nas.quantisation.simulate import simulated
    from search_spaces.block import network_layers
    from search_spaces.precision import policy_of, size_bytes

    blueprint, data, trainer = problem.joint.blueprint(architecture), problem.data, problem.trainer
    plain = trainer.shared.extract(blueprint, trainer.average, problem.evaluator.statistics(blueprint))
    calibration, test = (Batches(images, data).at(blueprint.resolution) for images in (data.calibration, data.test))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_quantised_onnx(path, plain, blueprint, calibration)
        report = check_onnx(path, simulated(plain, blueprint, calibration), test, data.test.labels)
        num_bytes = path.stat().st_size
    assert report.agreement_percent is not None
    return {
        "precisions": " ".join(policy_of(blueprint).values()),
        "test_accuracy_onnxruntime": round(report.score, 2),
        "test_accuracy_simulated": round(report.module_score, 2),
        "agreement_percent": round(report.agreement_percent, 2),
        "largest_logit_difference": round(report.max_abs_difference, 4),
        "size_bytes": size_bytes(network_layers(blueprint)),
        "file_bytes": num_bytes,
    }


def _mean(rows: Sequence[dict[str, Any]], source: str) -> dict[str, Any]:
    from experiments.quantised_search import SEARCHES

    found = [row for row in rows if row["data"] == source]
    means = {name: round(sum(row[name] for row in found) / len(found), 4) for name in SEARCHES}
    wins = sum(row["joint"] > max(row["int8"], row["architecture"]) for row in found)
    return {"data": source, **means, "joint_best_in_seeds": wins, "seeds": len(found)}
