"""Stage 2: train the shared weights, interval by interval, each a committed row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from experiments.config import StudyConfig, TaskConfig
from experiments.context import Context
from experiments.stages.initial_weights import begin_supernetwork
from experiments.stages.pretraining import pretrain_supernetwork
from experiments.talk import Talk
from nas.data.splits import DataSplits
from nas.evaluation import Evaluator
from nas.files import write_text
from nas.training.curves import Point, curves_csv, landmark_scores
from nas.training.loop import Watch, train
from nas.training.step import Trainer
from search_spaces.quantised import architecture_space
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace

CHECKPOINTS = "checkpoints"
CURVES_FILE = "curves.csv"


@dataclass(frozen=True)
class Trained:
    """The trained shared weights.

    Attributes:
        shared: the shared weights.
        average: their moving average, which every evaluation and extraction uses.
        points: the training curves, one point an interval.
    """

    shared: SharedWeights
    average: Mapping[str, Tensor]
    points: list[Point]

    def evaluator(self, context: Context) -> Evaluator:
        """Return the evaluator on validation images, which is what search sees."""
        return Evaluator(self.shared, self.average, context.data, context.data.validation)


def train_supernetwork(context: Context) -> Trained:
    """Train to the end, or go on from the newest checkpoint in the study's folder; ``curves.csv`` is written there."""
    study = context.study
    with context.stage("training"), context.together(context.config, context.folder):
        trainer = make_trainer(context.config, context.space, context.data, context.folder, context.talk)
        rows = _Rows(context, trainer.num_steps)
        with context.talk.progress("training", trainer.num_steps) as progress:
            watch = Watch(rows.begin, rows.finish, progress, context.talk.warn)
            train(trainer, context.folder / CHECKPOINTS, identity(context.config, context.space), watch)
    return Trained(trainer.shared, trainer.average, list(study.done("training").values()))


def make_trainer(
    config: StudyConfig, space: SearchSpace, data: DataSplits, folder: Path, talk: Talk | None = None
) -> Trainer:
    """Return a fresh trainer of the study in ``folder``, on the device of its data, begun as its settings say.

    ``talk`` is None in a process that follows another.
    """
    shared = SharedWeights(architecture_space(space), config.seed, data.training.labels.device)
    begin_supernetwork(config, shared, folder, talk)
    pretrain_supernetwork(config, shared, data, folder, identity(config, space), talk)
    return Trainer(shared, data, config.training, config.augmentation, config.seed)


def identity(config: StudyConfig, space: SearchSpace) -> dict[str, Any]:
    """Return what the checkpoints of a study must have been made with."""
    of_task = {"task": config.task.model_dump(mode="json")} if config.task != TaskConfig() else {}
    return {
        **of_task,
        "space": space.name,
        "space_settings": architecture_space(space).settings_json,
        "training": config.training.model_dump(mode="json"),
        "augmentation": config.augmentation.model_dump(mode="json"),
        "data": config.data.model_dump(mode="json"),
        "seed": config.seed,
    }


class _Rows:
    """The intervals of training as committed rows; one that is finished stays as it is."""

    def __init__(self, context: Context, num_steps: int) -> None:
        self._study, self._talk, self._num_steps = context.study, context.talk, num_steps
        self._csv, self._points = context.folder / CURVES_FILE, list[Point]()
        self._metric = context.data.task.metric
        self._done = set(self._study.done("training"))
        self._begun = set(self._study.attempts("training"))

    def begin(self, step: int) -> None:
        self._study.begin("training", _key(step))
        self._begun.add(_key(step))

    def finish(self, step: int, point: Point) -> None:
        self._points.append(point)
        write_text(self._csv, curves_csv(self._points, self._metric))
        if _key(step) in self._done:
            return
        if _key(step) not in self._begun:
            # The study was deleted and made again; the checkpoint outlived its rows.
            self.begin(step)
        self._study.finish("training", _key(step), point)
        self._done.add(_key(step))
        title, unit = self._metric.title, self._metric.unit
        scores = ", ".join(f"{name} {value:.1f} {unit}" for name, value in landmark_scores(point).items())
        self._talk.say(f"step {step}/{self._num_steps}: loss {point['loss']:.3f}; validation {title}: {scores}")


def _key(step: int) -> str:
    return f"to step {step:08d}"
