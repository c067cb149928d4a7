"""The best network of a study, as the study leaves it, against the same network trained alone.

Alone it gets as many images as the whole study took for it, those of the supernetwork and of its fine-tuning, by the
study's own trainer and recipe, at the learning rate that does best on validation images in shorter runs.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from experiments.alone import AloneRun, finished, inherited_accuracies, recipe, trained_study
from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


@benchmarks.register("alone")
def run(
    config: Path,
    out: Path = Path("runs"),
    settings: str = "",
    learning_rates: str = "0.001,0.002,0.004",
    tuning_share: float = 0.125,
    images: int = 0,
    seed: int = 0,
    processes: int = 2,
) -> dict[str, Any]:
    """Train the best network of a study alone, and compare its test accuracy with what it inherits and is tuned to.

    Args:
        config: TOML file of the study; it is trained, searched and fine-tuned first as far as it is not.
        out: folder of all studies; runs alone that are finished are kept there, and one that was killed goes on.
        settings: overrides, separated by spaces: "data.path=FOLDER training.epochs=3".
        learning_rates: tried alone, separated by commas.
        tuning_share: length of the runs that try them, as a share of the one that counts.
        images: passed forward and backward by the network alone; 0 is as many as supernetwork and fine-tuning took.
        seed: of the weights and the order alone.
        processes: runs at a time, each on one thread.
    """
    rates = _rates(learning_rates)
    if not 0 < tuning_share <= 1 or min(images, seed) < 0 or processes < 1:
        raise UsageError(
            f"tuning_share is {tuning_share:g}, images {images}, seed {seed}, processes {processes}: give a share in "
            "(0, 1], no negative number, at least one process"
        )
    from experiments.config import read_config
    from experiments.machine import machine, versions
    from experiments.stages.export import stored_export
    from nas.finetune import finetuning_steps
    from search_spaces.block import cost

    found = read_config(config, shlex.split(settings))
    best = _best_network(found, out)
    with trained_study(found, out) as (context, trained):
        architecture = context.space.architecture(best["knobs"])
        inherited = inherited_accuracies(context, trained, architecture)
        written = stored_export(context, architecture)
        tuned = None if written is None else written.score("test")
        shared_images, folder = trained.points[-1]["network_images"], context.folder / "alone"
        tuning = found.finetuning
        tuning_steps = 0 if tuned is None else finetuning_steps(tuning, len(context.data.training))
        tuning_images = tuning_steps * tuning.batch_size
        num_images = images or shared_images + tuning_images
        macs = cost(context.space.blueprint(architecture)).macs
    content = found.model_dump(mode="json")

    def alone(rate: float, share: float) -> AloneRun:
        return AloneRun(content, best["knobs"], rate, round(share * num_images), seed, folder)

    tried = finished([alone(rate, tuning_share) for rate in rates], folder, processes)
    by_rate = {rate: row["validation_accuracy"] for rate, row in zip(rates, tried, strict=True)}
    rate = max(rates, key=lambda each: by_rate[each])
    (row,) = finished([alone(rate, 1.0)], folder, processes)
    return {
        "benchmark": "alone",
        "study": found.name,
        "network": best["label"],
        "mmacs": round(macs / 1e6, 3),
        "supernetwork_test_accuracy": round(inherited["test"], 2),
        **({} if tuned is None else {"final_test_accuracy": round(tuned.value, 2), "final_weights": tuned.weights}),
        "alone_test_accuracy": round(row["test_accuracy"], 2),
        "gap": round(row["test_accuracy"] - (inherited["test"] if tuned is None else tuned.value), 2),
        "gap_inherited": round(row["test_accuracy"] - inherited["test"], 2),
        "supernetwork_network_images": shared_images,
        "finetuning": tuning.model_dump(mode="json") if tuning_images else None,
        "finetuning_images": tuning_images,
        "recipe_alone": recipe(found, rate, num_images),
        "tuning": [
            {"learning_rate": each, "images": round(tuning_share * num_images), "validation_accuracy": by_rate[each]}
            for each in rates
        ],
        "seconds_alone": row["seconds"],
        "machine": machine(),
        "versions": versions(),
    }


def _rates(text: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        raise UsageError(f"learning_rates got {text!r}: give positive numbers separated by commas")
    return found


def _best_network(config: Any, out: Path) -> dict[str, Any]:
    """Return the row of front.json with the best validation accuracy; the study is run first as far as it is not."""
    import json

    from experiments.cli.common import open_store
    from experiments.run import run_study
    from experiments.talk import Talk

    with open_store(None, out, create=True) as store:
        run_study(config, store, out, Talk(), "report" if config.finetuning.epochs else "search")
    rows = json.loads((out / config.name / "front.json").read_text(encoding="utf-8"))["joint_front"]
    best: dict[str, Any] = max(rows, key=lambda row: row["validation_accuracy"]["value"])
    return best
