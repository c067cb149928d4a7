"""One trial of a trained comparison: a network, a seed, one recipe; its accuracies and what training took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas.data.settings import AugmentSettings, DataSettings
from nas.training.settings import FinetuneSettings
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.comparison.settings import CompareConfig
    from nas.data.splits import DataSplits


@dataclass(frozen=True)
class Trial:
    """Everything that a trial's result depends on, beside the code.

    Attributes:
        blueprint: the network; which rule made it does not matter.
        data, augmentation, training: as the comparison has them.
        data_seed: of the split.
        seed: of the weights, the order and the random changes; two networks of one seed see the same images.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    blueprint: Blueprint
    data: DataSettings
    augmentation: AugmentSettings
    training: FinetuneSettings
    data_seed: int
    seed: int
    device: str = "auto"

    @property
    def key(self) -> dict[str, Any]:
        """What identifies the trial in the journal."""
        parts = {name: getattr(self, name).model_dump(mode="json") for name in ("data", "augmentation", "training")}
        return {"blueprint": self.blueprint.to_dict(), **parts, "data_seed": self.data_seed, "seed": self.seed}


def trials_of(config: CompareConfig, blueprints: Sequence[Blueprint]) -> list[Trial]:
    """Return the trials of distinct networks, seed by seed, so that a stop leaves whole pairs."""
    if config.training is None:
        return []
    distinct = dict.fromkeys(blueprints)
    return [
        Trial(each, config.data, config.augmentation, config.training, config.data_seed, seed, config.device)
        for seed in range(config.seeds)
        for each in distinct
    ]


def check_base(config: CompareConfig, base: Blueprint) -> int:
    """Return the number of training images.

    Raises:
        UsageError: the base takes other images or tells other classes than the data has, or the data can't be read.
    """
    data = load_images(config.data, config.data_seed)
    given = {"input channels": base.in_channels, "classes": base.head.width}
    wanted = {"input channels": data.in_channels, "classes": data.num_classes}
    if given != wanted:
        told = ", ".join(f"{given[key]} {key} (the data has {wanted[key]})" for key in given)
        raise UsageError(f"base has {told}: give a network for this data, as a space with in_channels and num_classes")
    return len(data.training)


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train one network and return its accuracies in percent and its training time in seconds of the processor.

    Validation images choose nothing here and test images are looked at once, at the end.
    """
    from experiments.context import choose_device
    from nas.evaluation import Batches, module_rows
    from nas.finetune import finetune
    from search_spaces.building import build

    device = choose_device(trial.device)
    data = load_images(trial.data, trial.data_seed).to(device)
    start, start_wall = time.process_time(), time.perf_counter()
    network = build(trial.blueprint, seed=trial.seed)
    trained = finetune(network, trial.blueprint, data, trial.training, trial.augmentation, trial.seed, device)
    processor, wall = time.process_time() - start, time.perf_counter() - start_wall
    splits = {"validation": data.validation, "test": data.test}
    found = {}
    for name, images in splits.items():
        rows = module_rows(trained, Batches(images, data), trial.blueprint.resolution, data.task)
        found[f"{name}_accuracy"] = data.task.value(rows)
    return {**found, "training_cpu_s": round(processor, 2), "training_s": round(wall, 2)}


@lru_cache(maxsize=1)
def load_images(settings: DataSettings, seed: int) -> DataSplits:
    """Return the splits; kept, as a process runs several trials."""
    from nas.data.splits import load_data

    return load_data(settings, seed)
