"""Networks of a trained study, each trained again alone: by the same trainer and recipe, on a space of that network."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.architecture import canonical_json

if TYPE_CHECKING:
    from experiments.config import StudyConfig
    from experiments.context import Context
    from experiments.stages.training import Trained
    from nas.training.settings import TrainingSettings
    from search_spaces.architecture import Architecture

CHECKPOINT_EVERY = 1000
OF_MANY_NETWORKS: dict[str, Any] = {
    "sampler": "uniform",
    "sampler_settings": {},
    "networks_per_step": 1,
    "sort_channels_at": None,
    "masked_pretraining": None,
    "initial_weights": None,
}
"""Settings of one network alone, instead of those that say how several are drawn."""


@dataclass(frozen=True)
class AloneRun:
    """One network trained alone.

    Attributes:
        config: the study's settings as plain data; data, augmentation and recipe are its own.
        knobs: of the network.
        learning_rate: instead of the study's.
        num_images: images passed forward and backward.
        seed: of the weights and the order.
        folder: of the checkpoints' folders, from which a run that was killed goes on.
    """

    config: dict[str, Any]
    knobs: dict[str, Any]
    learning_rate: float
    num_images: int
    seed: int
    folder: Path

    @property
    def key(self) -> dict[str, Any]:
        """What the result depends on."""
        parts = {name: self.config[name] for name in ("data", "augmentation", "space", "training")}
        return {
            **parts,
            "knobs": self.knobs,
            "learning_rate": self.learning_rate,
            "num_images": self.num_images,
            "seed": self.seed,
        }

    @property
    def name(self) -> str:
        """A name for its folder that no other run has."""
        return hashlib.sha256(canonical_json(self.key).encode()).hexdigest()[:16]


def train_alone(run: AloneRun) -> dict[str, Any]:
    """Train one network alone and return its accuracies in percent, its steps and its seconds of processor time."""
    from experiments.config import make_config
    from experiments.context import choose_device
    from experiments.study_space import data_and_space
    from nas.evaluation import Evaluator
    from nas.training.loop import Watch, train
    from nas.training.step import Trainer
    from search_spaces.one_network import OneNetwork
    from search_spaces.sharing import SharedWeights

    start = time.process_time()
    config = make_config(run.config, "the study")
    device = choose_device(config.device)
    data, space = data_and_space(config)
    data = data.to(device)
    only = OneNetwork(space, space.architecture(run.knobs))
    settings = alone_settings(config.training, run.learning_rate)
    trainer = Trainer(SharedWeights(only, run.seed, device), data, settings, config.augmentation, run.seed)
    trainer.num_steps = max(1, run.num_images // settings.batch_size)
    train(trainer, run.folder / run.name, run.key, Watch())
    blueprint = only.blueprint(only.largest())
    found = {
        split: Evaluator(trainer.shared, trainer.average, data, getattr(data, split)).score(blueprint)
        for split in ("validation", "test")
    }
    return {
        **{f"{split}_accuracy": accuracy for split, accuracy in found.items()},
        "num_steps": trainer.num_steps,
        "seconds": round(time.process_time() - start, 1),
    }


def alone_settings(training: TrainingSettings, learning_rate: float) -> TrainingSettings:
    """Return the study's recipe for one network, without what only several have (sampler, a teacher among them)."""
    from nas.training.settings import LARGEST

    changed = {**OF_MANY_NETWORKS, "learning_rate": learning_rate, "checkpoint_every": CHECKPOINT_EVERY}
    if training.teacher == LARGEST:
        changed |= {"distillation": None, "distillation_settings": {}}
    return training.model_copy(update=changed)


def finished(runs: Sequence[AloneRun], folder: Path, processes: int) -> list[dict[str, Any]]:
    """Return the results of ``runs``, each trained at most once: those in the folder's journal are read from it."""
    from experiments.journal import Journal
    from experiments.talk import Talk
    from experiments.workers import run_jobs

    journal, talk = Journal(folder / "alone.jsonl"), Talk()
    missing = [run for run in runs if journal.get(run.key) is None]
    for number, (run, result) in enumerate(run_jobs(train_alone, missing, processes), start=1):
        journal.add(run.key, result)
        talk.say(
            f"{number} of {len(missing)}: learning rate {run.learning_rate:g}, {run.num_images:,} images: validation "
            f"{result['validation_accuracy']:.2f} %, test {result['test_accuracy']:.2f} %"
        )
    found = [journal.get(run.key) for run in runs]
    return [row for row in found if row is not None]


@contextmanager
def trained_study(config: StudyConfig, out: Path) -> Iterator[tuple[Context, Trained]]:
    """Yield the study of ``config`` in ``out`` with its weights, trained first as far as they are not.

    Raises:
        NasError: as ``run_study`` raises.
    """
    from experiments.cli.common import open_store
    from experiments.context import Context, choose_device
    from experiments.run import run_study
    from experiments.stages.training import train_supernetwork
    from experiments.study_space import data_and_space
    from experiments.talk import Talk

    talk = Talk()
    with open_store(None, out, create=True) as store:
        run_study(config, store, out, talk, "training")
        study, device = store.load(config.name), choose_device(config.device)
        data, space = data_and_space(config)
        data = data.to(device)
        with study.held("nas bench"):
            context = Context(config, study, out / config.name, space, data, device, talk)
            yield context, train_supernetwork(context)


def inherited_accuracies(context: Context, trained: Trained, architecture: Architecture) -> dict[str, float]:
    """Return the accuracies (percent) of a network inside the shared weights, by split."""
    from nas.evaluation import Evaluator

    blueprint = context.space.blueprint(architecture)
    return {
        split: Evaluator(trained.shared, trained.average, context.data, getattr(context.data, split)).score(blueprint)
        for split in ("validation", "test")
    }


def recipe(config: StudyConfig, learning_rate: float, num_images: int) -> dict[str, Any]:
    """Return what the networks alone were trained with, plain data."""
    training = alone_settings(config.training, learning_rate).model_dump(mode="json", exclude_none=True)
    kept = {key: training[key] for key in training if key not in ("epochs", "checkpoint_every", *OF_MANY_NETWORKS)}
    return {"images": num_images, **kept}
