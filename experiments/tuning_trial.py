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


DIVERGED = -1e6
"""The score of a diverged training where less is better, and the worst has no bound."""


class _StoppedError(Exception):
    """The trial was told to stop."""


def run_trial(config: StudyConfig, folder: Path, report: Report) -> dict[str, Any]:
    """Train by ``config`` and return the scores, one a report, and how it ended, plain data.

    The score is the mean of the task's metric on validation images over the smallest, the middle and the largest
    network, negative where less is better. A training that diverges scores the least.

    Args:
        config: of a study, with the trial's values and its epochs.
        folder: of the checkpoints; a trial that was killed goes on from them.
        report: told every score, those of a resumed trial again.
    """
    from nas.training.curves import landmark_scores
    from nas.training.loop import Watch, train

    metric = config.task.make().metric
    scores: list[float] = []

    def finish(_step: int, point: Any) -> None:
        found = landmark_scores(point).values()
        scores.append(metric.rank(sum(found) / len(found)))
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
        least = 0.0 if metric.direction == "max" else DIVERGED
        report(len(scores) + 1, least)
        return {"state": "diverged", "scores": [*scores, least], "reason": str(error)}
    return {"state": "complete", "scores": scores}


def _trainer(config: StudyConfig) -> tuple[Any, dict[str, Any]]:
    """Return the trainer of a trial, with checkpoints for ``NUM_REPORTS``, and what identifies it."""
    from experiments.context import choose_device
    from experiments.study_space import data_and_space
    from nas.training.step import Trainer
    from search_spaces.quantised import architecture_space
    from search_spaces.sharing import SharedWeights

    device = choose_device(config.device)
    data, space = data_and_space(config)
    data = data.to(device)
    shared = SharedWeights(architecture_space(space), config.seed, device)
    trainer = Trainer(shared, data, config.training, config.augmentation, config.seed)
    every = -(-trainer.num_steps // NUM_REPORTS)
    trainer.settings = trainer.settings.model_copy(update={"checkpoint_every": every})
    parts = ("space", "data", "augmentation", "training", "seed")
    return trainer, {name: value for name, value in config.model_dump(mode="json").items() if name in parts}
