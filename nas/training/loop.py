"""The training loop: intervals of steps, each ended by its curve and a checkpoint; resumable at any moment.

An interval is done when its checkpoint is on disk. A run that is killed goes on from the newest checkpoint that can be
read: every step is a function of the state and the step's number, so the weights at the end are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nas.evaluation import Evaluator
from nas.training.checkpoint import load_checkpoint, save_checkpoint
from nas.training.optimiser import learning_rate
from nas.training.step import Trainer
from search_spaces.architecture import Architecture
from search_spaces.errors import ConflictError, NasError
from search_spaces.space import SearchSpace

Point = Mapping[str, Any]


@dataclass(frozen=True)
class Watch:
    """What the loop tells while it runs.

    Attributes:
        begin: called with an interval's last step before its first step.
        finish: called with the last step and the interval's point of the curves once the checkpoint is on disk.
        progress: called with the number of steps done, now and then.
        warn: called with a line of text.
    """

    begin: Callable[[int], None] = lambda _: None
    finish: Callable[[int, Point], None] = lambda _step, _point: None
    progress: Callable[[int], None] = lambda _: None
    warn: Callable[[str], None] = lambda _: None


def train(trainer: Trainer, folder: Path, identity: Mapping[str, Any], watch: Watch) -> None:
    """Train to the last step, from the newest checkpoint in ``folder`` if there is one.

    Args:
        trainer: fresh.
        folder: of the checkpoints.
        identity: what a checkpoint must have been made with (space, settings, seed); stored with it.
        watch: what to tell.

    Raises:
        ConflictError: the checkpoint in ``folder`` was made with another ``identity``.
        NasError: the loss is not finite.
    """
    step = _resume(trainer, folder, identity, watch)
    every = trainer.settings.checkpoint_every
    while step < trainer.num_steps:
        end = min(trainer.num_steps, step - step % every + every)
        watch.begin(end)
        losses = []
        for number in range(step, end):
            losses.append(trainer.step(number))
            if (number + 1) % 10 == 0:
                watch.progress(number + 1)
        point = _point(trainer, end, losses)
        header = {"identity": identity, "point": point, "environment": environment()}
        save_checkpoint(folder, end, trainer.state(), header)
        watch.finish(end, point)
        watch.progress(end)
        step = end


def _resume(trainer: Trainer, folder: Path, identity: Mapping[str, Any], watch: Watch) -> int:
    """Load the newest checkpoint into ``trainer`` and return its step; 0 where there is none."""
    state, header = load_checkpoint(folder, watch.warn)
    if state is None or header is None:
        return 0
    if header["identity"] != dict(identity):
        changed = [key for key in identity if header["identity"].get(key) != identity[key]]
        raise ConflictError(
            f"the checkpoint in {folder} was made with other {', '.join(changed)}: choose another study name or folder"
        )
    if header["environment"] != environment():
        watch.warn(
            f"checkpoint made under {header['environment']}, now {environment()}: results may differ in last bits"
        )
    trainer.load(state)
    step = int(header["step"])
    watch.finish(step, header["point"])
    return step


def _point(trainer: Trainer, step: int, losses: list[torch.Tensor]) -> Point:
    """Return the interval's point of the curves: loss, rate, validation accuracy of three networks."""
    loss = float(torch.stack(losses).mean())
    if not math.isfinite(loss):
        raise NasError(f"the loss is {loss} at step {step}: lower training.learning_rate or max_gradient_norm")
    evaluator = Evaluator(trainer.shared, trainer.average, trainer.data, trainer.data.validation)
    space = trainer.shared.space
    accuracies = {
        name: evaluator.accuracy(space.blueprint(architecture)) for name, architecture in landmarks(space).items()
    }
    images_per_step = trainer.settings.batch_size * trainer.settings.networks_per_step
    return {
        "step": step,
        "network_images": step * images_per_step,
        "loss": loss,
        "learning_rate": learning_rate(step - 1, trainer.num_steps, trainer.settings),
        "validation_accuracy": accuracies,
    }


def landmarks(space: SearchSpace) -> dict[str, Architecture]:
    """Return the smallest, the middle and the largest network."""
    middle = space.decode((space.num_choices[None] - 1) // 2)[0]
    return {"smallest": space.smallest(), "middle": middle, "largest": space.largest()}


def environment() -> dict[str, str]:
    """Return what bit-equal repetition depends on beside the seed."""
    return {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())}
