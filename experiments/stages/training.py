"""Stage 1: train the shared weights, interval by interval, each a committed row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from experiments.context import Context
from nas.evaluation import Evaluator
from nas.training.loop import Point, Watch, train
from nas.training.step import Trainer
from search_spaces.sharing import SharedWeights


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
    """Train to the end, or go on from the newest checkpoint in the study's folder."""
    config, study = context.config, context.study
    shared = SharedWeights(context.space, config.seed, context.device)
    trainer = Trainer(shared, context.data, config.training, config.augmentation, config.seed)
    identity = {
        "space": context.space.name,
        "space_settings": context.space.settings_json,
        "training": config.training.model_dump(mode="json"),
        "augmentation": config.augmentation.model_dump(mode="json"),
        "data": config.data.model_dump(mode="json"),
        "seed": config.seed,
    }
    with context.stage("training"), context.talk.progress("training", trainer.num_steps) as progress:
        watch = Watch(
            begin=lambda step: _begin(context, step),
            finish=lambda step, point: _finish(context, step, point, trainer.num_steps),
            progress=progress,
            warn=context.talk.warn,
        )
        train(trainer, context.folder / "checkpoints", identity, watch)
    return Trained(shared, trainer.average, list(study.done("training").values()))


def _key(step: int) -> str:
    return f"to step {step:08d}"


def _begin(context: Context, step: int) -> None:
    context.study.begin("training", _key(step))


def _finish(context: Context, step: int, point: Point, num_steps: int) -> None:
    """Commit an interval; a resumed run commits again the one whose checkpoint it found, which changes nothing."""
    fresh = _key(step) not in context.study.done("training")
    context.study.finish("training", _key(step), point)
    if fresh:
        accuracies = ", ".join(f"{name} {value:.1f} %" for name, value in point["validation_accuracy"].items())
        context.talk.say(f"step {step}/{num_steps}: loss {point['loss']:.3f}; validation accuracy: {accuracies}")
