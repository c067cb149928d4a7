"""The training loop: intervals of steps, each ended by its curve and a checkpoint; resumable at any moment.

An interval is done when its checkpoint is on disk. A run that is killed goes on from the newest checkpoint that can be
read: every step is a function of the state and the step's number, so the weights at the end are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
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
PROGRESS_EVERY = 10


@dataclass(frozen=True)
class Watch:
    """What the loop tells while it runs.

    Attributes:
        begin: called with an interval's last step before its first step.
        finish: called with the last step and the interval's point of the curves once the checkpoint is on disk; a
            resumed run calls it again for every interval up to its checkpoint.
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
        identity: what a checkpoint must have been made with (space, settings, seed), plain JSON data; stored with it.
        watch: what to tell.

    Raises:
        ConflictError: the checkpoint in ``folder`` was made with another ``identity``.
        StorageError: ``folder`` can't be read or written.
        NasError: the loss or a weight is not finite; the last checkpoint is from before that.
    """
    points = _resume(trainer, folder, identity, watch)
    step = points[-1]["step"] if points else 0
    every = trainer.settings.checkpoint_every
    evaluator = Evaluator(trainer.shared, trainer.average, trainer.data, trainer.data.validation)
    while step < trainer.num_steps:
        end = min(trainer.num_steps, step + every)
        watch.begin(end)
        losses = []
        for number in range(step, end):
            losses.append(trainer.step(number))
            if (number + 1) % PROGRESS_EVERY == 0:
                watch.progress(number + 1)
        points.append(_point(trainer, evaluator, end, losses))
        header = {"identity": identity, "points": points, "environment": environment(trainer.device)}
        save_checkpoint(folder, end, trainer.state(), header)
        watch.finish(end, points[-1])
        watch.progress(end)
        step = end


def _resume(trainer: Trainer, folder: Path, identity: Mapping[str, Any], watch: Watch) -> list[Point]:
    """Load the newest checkpoint, if there is one, into ``trainer`` and return the curves up to it, told again."""
    state, header = load_checkpoint(folder, watch.warn)
    if state is None or header is None:
        return []
    changed = list(_differing(header.get("identity", {}), identity))
    if changed:
        raise ConflictError(
            f"the checkpoint in {folder} was made with other {', '.join(changed)}: choose another study name or folder"
        )
    now = environment(trainer.device)
    if header["environment"] != now:
        watch.warn(f"checkpoint made under {header['environment']}, now {now}: results may differ in their last bits")
    trainer.load(state)
    points: list[Point] = header["points"]
    for point in points:
        watch.finish(point["step"], point)
    return points


def _differing(stored: Mapping[str, Any], given: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of every key whose values differ."""
    for key in sorted(stored.keys() | given.keys()):
        one, other = stored.get(key), given.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differing(one, other, f"{prefix}{key}.")
        elif one != other or (key in stored) != (key in given):
            yield prefix + key


def _point(trainer: Trainer, evaluator: Evaluator, step: int, losses: list[torch.Tensor]) -> Point:
    """Return the interval's point of the curves: loss, rate, validation accuracy of three networks."""
    loss = float(torch.stack(losses).mean())
    _require_finite(trainer, step, loss)
    space = trainer.shared.space
    images_per_step = trainer.settings.batch_size * trainer.settings.networks_per_step
    return {
        "step": step,
        "network_images": step * images_per_step,
        "loss": loss,
        "learning_rate": learning_rate(step - 1, trainer.num_steps, trainer.settings),
        "validation_accuracy": {
            name: evaluator.accuracy(space.blueprint(architecture)) for name, architecture in landmarks(space).items()
        },
    }


def _require_finite(trainer: Trainer, step: int, loss: float) -> None:
    found = "" if math.isfinite(loss) else f"the loss is {loss}"
    for name, tensor in trainer.shared.tensors.items():
        if not found and not bool(tensor.isfinite().all()):
            found = f"{name} is not finite"
    if found:
        rate, norm = trainer.settings.learning_rate, trainer.settings.max_gradient_norm
        raise NasError(
            f"training diverged: {found} at step {step}: lower training.learning_rate ({rate:g}) or "
            f"training.max_gradient_norm ({norm:g}) and choose another study name"
        )


def landmarks(space: SearchSpace) -> dict[str, Architecture]:
    """Return the smallest, the middle and the largest network."""
    middle = space.decode((space.num_choices[None] - 1) // 2)[0]
    return {"smallest": space.smallest(), "middle": middle, "largest": space.largest()}


def environment(device: torch.device) -> dict[str, str]:
    """Return what bit-equal repetition depends on beside the seed."""
    return {"torch": str(torch.__version__), "threads": str(torch.get_num_threads()), "device": device.type}
