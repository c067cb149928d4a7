"""The phase before training with labels: masked pre-training, interval by interval, resumable at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from nas.training.checkpoint import load_checkpoint, save_checkpoint
from nas.training.gradients import Processes
from nas.training.guards import not_finite
from nas.training.identity import check_identity
from nas.training.loop import PROGRESS_EVERY, Watch, environment
from nas.training.masked import MaskedTrainer
from search_spaces.errors import NasError


def pretrain(trainer: MaskedTrainer, folder: Path, identity: Mapping[str, Any], watch: Watch) -> None:
    """Train ``trainer.shared`` to the last step, from the newest checkpoint in ``folder`` if there is one.

    Where several processes train together, each does all of this phase, so that they begin the next with the same
    weights; the leader alone writes and tells.

    Args:
        trainer: fresh.
        folder: of the checkpoints of this phase alone.
        identity: what a checkpoint must have been made with, as in ``loop.train``.
        watch: what to tell; the points are ``step`` and ``reconstruction_loss``.

    Raises:
        ConflictError: the checkpoint in ``folder`` was made with another ``identity``.
        StorageError: ``folder`` can't be read or written.
        NasError: a loss or a weight is not finite; the last checkpoint is from before that.
    """
    leads = Processes.current().leads
    if not leads:
        watch = Watch()
    points = _resume(trainer, folder, identity, watch)
    while (step := points[-1]["step"] if points else 0) < trainer.num_steps:
        end = min(trainer.num_steps, step + trainer.settings.checkpoint_every)
        watch.begin(end)
        points.append({"step": end, "reconstruction_loss": _interval(trainer, step, end, watch)})
        if leads:
            header = {"identity": identity, "points": points, "environment": environment(trainer.device)}
            save_checkpoint(folder, end, trainer.state(), header)
        watch.finish(end, points[-1])
        watch.progress(end)


def _interval(trainer: MaskedTrainer, start: int, end: int, watch: Watch) -> float:
    """Train the steps from ``start`` up to ``end`` and return their mean loss."""
    losses = []
    for step in range(start, end):
        losses.append(trainer.step(step))
        if (step + 1) % PROGRESS_EVERY == 0:
            watch.progress(step + 1)
    loss = float(torch.stack(losses).mean())
    problem = not_finite(loss, trainer.parameters)
    if problem is not None:
        raise NasError(
            f"masked pre-training diverged: {problem} at step {end}: lower training.learning_rate "
            f"({trainer.settings.learning_rate:g}) and choose another study name"
        )
    return loss


def _resume(trainer: MaskedTrainer, folder: Path, identity: Mapping[str, Any], watch: Watch) -> list[dict[str, Any]]:
    """Load the newest checkpoint, if there is one, into ``trainer`` and return the points up to it, told again."""
    state, header = load_checkpoint(folder, watch.warn)
    if state is None or header is None:
        return []
    check_identity(header, identity, folder)
    trainer.load(state)
    points: list[dict[str, Any]] = header["points"]
    for point in points:
        watch.finish(point["step"], point)
    return points
