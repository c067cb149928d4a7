"""What starting a scaled-up network from the shared weights saves, against the same network from random weights."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from nas.data.splits import DataSplits
    from search_spaces.blueprint import Blueprint
    from search_spaces.sharing import SharedWeights


@benchmarks.register("scaled_start")
def run(
    space_name: str = "ofa_mobilenet",
    rule: str = "fast",
    factor: float = 4.0,
    source: str = "digits",
    path: str = "",
    max_images: int = 0,
    supernet_epochs: int = 20,
    epochs: str = "0,1,2,4,8",
    learning_rate: float = 2e-3,
    seeds: int = 2,
) -> dict[str, Any]:
    """Train scaled networks from the shared weights and from random ones: test accuracy after some epochs.

    The space's largest network is scaled by the rule. Every row is a run of its own with a schedule of that length;
    both starts see the same images in the same order. The supernetwork's own training is told beside, not counted.

    Args:
        space_name: a space, in its form for small images.
        rule: of scaling.
        factor: of the rule.
        source: data source, as digits or fashion_mnist.
        path: folder that the source reads; digits takes none.
        max_images: at most so many training images; 0 keeps all.
        supernet_epochs: of the supernetwork.
        epochs: of the scaled network, separated by commas.
        learning_rate: peak, of all.
        seeds: of weights and order; the supernetwork is trained for each.
    """
    lengths = _lengths(epochs)
    if seeds < 1 or supernet_epochs < 1:
        raise UsageError(f"seeds is {seeds} and supernet_epochs {supernet_epochs}: give at least 1 of each")
    from experiments.machine import machine, versions
    from nas.data.settings import DataSettings
    from nas.data.splits import load_data
    from scaling.rule import scaling_rule
    from scaling.solve import scale
    from search_spaces.block import cost
    from search_spaces.spaces import space

    settings = DataSettings(source=source, path=path, max_images=max_images or None)
    found: list[dict[str, Any]] = []
    for seed in range(seeds):
        data = load_data(settings, seed)
        family = space(space_name, form="small_image", in_channels=data.in_channels, num_classes=data.num_classes)
        base = family.blueprint(family.largest())
        scaled = scale(scaling_rule(rule), base, factor).blueprint
        trained = _Trained.of(family, data, supernet_epochs, learning_rate, seed)
        found += [trained.row(scaled, length, learning_rate) for length in lengths]
    rows = [_mean([row for row in found if row["epochs"] == length]) for length in lengths]
    return {
        "benchmark": "scaled_start",
        "space": space_name,
        "rule": rule,
        "data": source,
        "training_images": len(data.training),
        "supernet_epochs": supernet_epochs,
        "supernet_s": round(trained.seconds, 1),
        "base_mmacs": round(cost(base).macs / 1e6, 3),
        "scaled_mmacs": round(cost(scaled).macs / 1e6, 3),
        "factor_achieved": round(cost(scaled).macs / cost(base).macs, 3),
        "carried": trained.carried,
        "seeds": seeds,
        "rows": rows,
        "epochs_for_the_accuracy_of_the_longest_random_run": _epochs_to(rows),
        "obtained": "measured",
        "machine": machine(),
        "versions": versions(),
    }


def _lengths(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [-1]
    if min(found) < 0:
        raise UsageError(f"epochs got {text!r}: give whole numbers of 0 or more, separated by commas")
    return sorted(set(found))


class _Trained:
    """A trained supernetwork on its data, and what scaled networks reach from it and from random weights."""

    def __init__(self, shared: SharedWeights, average: Any, data: DataSplits, seed: int, seconds: float) -> None:
        self.shared, self.average, self.data, self.seed, self.seconds = shared, average, data, seed, seconds
        self.carried: dict[str, int] = {}

    @classmethod
    def of(cls, family: Any, data: DataSplits, epochs: int, learning_rate: float, seed: int) -> _Trained:
        from nas.data.settings import AugmentSettings
        from nas.training.settings import TrainingSettings
        from nas.training.step import Trainer
        from search_spaces.sharing import SharedWeights

        start = time.process_time()
        settings = TrainingSettings(epochs=epochs, learning_rate=learning_rate)
        trainer = Trainer(SharedWeights(family, seed), data, settings, AugmentSettings(), seed)
        for step in range(trainer.num_steps):
            trainer.step(step)
        return cls(trainer.shared, trainer.average, data, seed, time.process_time() - start)

    def row(self, blueprint: Blueprint, epochs: int, learning_rate: float) -> dict[str, Any]:
        """Return the test accuracies in percent after ``epochs``, from both starts."""
        from dataclasses import asdict

        from nas.scaled_start import scaled_start
        from search_spaces.building import build

        network, carried = scaled_start(blueprint, self.average, self.shared.layouts, self.seed)
        self.carried = asdict(carried)
        starts = {"from_shared": network, "from_random": build(blueprint, seed=self.seed)}
        found = {name: self._accuracy(each, blueprint, epochs, learning_rate) for name, each in starts.items()}
        return {"epochs": epochs, **found}

    def _accuracy(self, network: nn.Module, blueprint: Blueprint, epochs: int, learning_rate: float) -> float:
        import torch

        from nas.data.batches import prepare
        from nas.data.settings import AugmentSettings
        from nas.finetune import finetune, recalibrate
        from nas.training.settings import FinetuneSettings

        settings = FinetuneSettings(epochs=epochs, learning_rate=learning_rate)
        tuned = finetune(network, blueprint, self.data, settings, AugmentSettings(), self.seed)
        if not epochs:
            recalibrate(tuned, blueprint.resolution, self.data)
        test, correct = self.data.test, 0
        with torch.inference_mode():
            num_batches = -(-len(test) // 256)
            batches = zip(test.images.tensor_split(num_batches), test.labels.tensor_split(num_batches), strict=True)
            for images, labels in batches:
                guesses = tuned(prepare(images, blueprint.resolution, self.data.mean, self.data.std)).argmax(1)
                correct += int((guesses == labels).sum())
        return 100 * correct / len(test)


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over seeds, and the range of the paired differences."""
    shared, random = (np.array([row[name] for row in rows]) for name in ("from_shared", "from_random"))
    gains = shared - random
    return {
        "epochs": rows[0]["epochs"],
        "from_shared": round(float(shared.mean()), 2),
        "from_random": round(float(random.mean()), 2),
        "gain": round(float(gains.mean()), 2),
        "gain_range": [round(float(gains.min()), 2), round(float(gains.max()), 2)],
    }


def _epochs_to(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many epochs each start takes to what random weights reach in the longest run; None: not reached."""
    goal = rows[-1]["from_random"]
    reached = (
        next((row["epochs"] for row in rows if row[name] >= goal), None) for name in ("from_shared", "from_random")
    )
    return {"accuracy": goal, **dict(zip(("from_shared", "from_random"), reached, strict=True))}
