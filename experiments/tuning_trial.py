"""One trial of tuning: a shortened training that reports its accuracy at checkpoints and may be told to stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.config import StudyConfig
from search_spaces.errors import NasError

NUM_REPORTS = 9
Report = Callable[[int, float], bool]
"""Takes the number of the report, from 1, and the score; says whether the trial shall stop."""


class _StoppedError(Exception):
    """The trial was told to stop."""


def run_trial(config: StudyConfig, folder: Path, report: Report) -> dict[str, Any]:
    """Train by ``config`` and return the scores, one a report, and how it ended, plain data.

    The score is the mean validation accuracy, in percent, of the smallest, the middle and the largest network. A
    training that diverges scores 0.

    Args:
        config: of a study, with the trial's values and its epochs.
        folder: of the checkpoints; a trial that was killed goes on from them.
        report: told every score, those of a resumed trial again.
    """
    from nas.training.loop import Watch, train

    scores: list[float] = []

    def finish(_step: int, point: Any) -> None:
        accuracies = point["validation_accuracy"].values()
        scores.append(sum(accuracies) / len(accuracies))
        if report(len(scores), scores[-1]) and len(scores) < num_reports:
            raise _StoppedError

    trainer, identity = _trainer(config)
    num_reports = -(-trainer.num_steps // trainer.settings.checkpoint_every)
    try:
        train(trainer, folder, identity, Watch(finish=finish))
    except _StoppedError:
        return {"state": "stopped", "scores": scores}
    except NasError as error:
        if type(error) is not NasError:
            raise
        report(len(scores) + 1, 0.0)
        return {"state": "diverged", "scores": [*scores, 0.0], "reason": str(error)}
    return {"state": "complete", "scores": scores}


def _trainer(config: StudyConfig) -> tuple[Any, dict[str, Any]]:
    """Return the trainer of a trial, with checkpoints for ``NUM_REPORTS``, and what identifies it."""
    from experiments.context import choose_device
    from experiments.study_space import make_study_space
    from nas.data.splits import load_data
    from nas.training.step import Trainer
    from search_spaces.quantised import architecture_space
    from search_spaces.sharing import SharedWeights

    device = choose_device(config.device)
    data = load_data(config.data, config.seed).to(device)
    space = make_study_space(config, data.in_channels, data.num_classes)
    shared = SharedWeights(architecture_space(space), config.seed, device)
    trainer = Trainer(shared, data, config.training, config.augmentation, config.seed)
    every = -(-trainer.num_steps // NUM_REPORTS)
    trainer.settings = trainer.settings.model_copy(update={"checkpoint_every": every})
    parts = ("space", "data", "augmentation", "training", "seed")
    return trainer, {name: value for name, value in config.model_dump(mode="json").items() if name in parts}
