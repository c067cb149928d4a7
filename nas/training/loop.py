"""The training loop: intervals of steps, each ended by its curve and a checkpoint; resumable at any moment.

An interval is done when its checkpoint is on disk. A run that is killed goes on from the newest checkpoint that can be
read: every step is a function of the state and the step's number, so the weights at the end are the same. An interval
that fails (a loss that is not finite, a collapse) is undone: the state before it returns, at half the learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas.evaluation import Evaluator
from nas.training.checkpoint import load_checkpoint, save_checkpoint
from nas.training.curves import Curves, Point
from nas.training.guards import MAX_ROLLBACKS, RATE_FACTOR, chance_of, collapse, not_finite
from nas.training.identity import check_identity
from nas.training.step import Trainer
from search_spaces.errors import NasError

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

    Where several processes train together, each calls this with the same folder; the leader alone writes, evaluates
    and tells.

    Args:
        trainer: fresh.
        folder: of the checkpoints.
        identity: what a checkpoint must have been made with (space, settings, seed), plain JSON data; stored with it.
        watch: what to tell.

    Raises:
        ConflictError: the checkpoint in ``folder`` was made with another ``identity``.
        StorageError: ``folder`` can't be read or written.
        NasError: training failed more often than it may be undone; the last checkpoint is from before that.
    """
    if not trainer.processes.leads:
        watch = Watch()
    _Run(trainer, folder, identity, watch).to_the_end()


class _Run:
    """One call of ``train``."""

    def __init__(self, trainer: Trainer, folder: Path, identity: Mapping[str, Any], watch: Watch) -> None:
        self._trainer, self._folder, self._identity, self._watch = trainer, folder, identity, watch
        self._points: list[Point] = []
        self._rollbacks: list[str] = []
        """Of the whole training; those that no point tells of yet come last."""
        # The state that a rollback returns to before there is a checkpoint.
        self._start: dict[str, Tensor] | None = None
        if trainer.processes.leads:
            data = trainer.data
            evaluator = Evaluator(trainer.shared, trainer.average, data, data.validation)
            self._curves = Curves(trainer.shared.space, evaluator, data.task.metric, trainer.seed)
            self._chance = chance_of(data.task, data.validation)

    @property
    def _step(self) -> int:
        """The number of steps done."""
        return int(self._points[-1]["step"]) if self._points else 0

    def to_the_end(self) -> None:
        """Resume, and train interval by interval."""
        self._resume()
        trainer = self._trainer
        if not self._points:
            self._start = {name: tensor.detach().to("cpu", copy=True) for name, tensor in trainer.state().items()}
        while self._step < trainer.num_steps:
            end = min(trainer.num_steps, self._step + trainer.settings.checkpoint_every)
            self._watch.begin(end)
            loss = self._interval(end)
            problem = self._judge(end, loss)
            if problem is not None:
                self._roll_back(end, problem)
                continue
            if trainer.processes.leads:
                self._save(end)
            self._start = None
            self._watch.finish(end, self._points[-1])
            self._watch.progress(end)

    def _interval(self, end: int) -> float:
        """Train up to step ``end`` and return the mean loss."""
        losses = []
        for number in range(self._step, end):
            losses.append(self._trainer.step(number))
            if (number + 1) % PROGRESS_EVERY == 0:
                self._watch.progress(number + 1)
        return float(torch.stack(losses).mean())

    def _judge(self, end: int, loss: float) -> str | None:
        """Add the interval's point and return None, or return why the interval failed; all processes agree."""
        trainer, problem = self._trainer, not_finite(loss, self._trainer.shared.tensors)
        point: Point = {"step": end}
        if problem is None and trainer.processes.leads:
            point = self._point(end, loss)
            problem = collapse([*self._points, point], trainer.data.task.metric, self._chance)
        failed = trainer.processes.told_by_the_leader(float(problem is not None), trainer.device)
        if failed:
            return problem or "the leader says so"
        self._points.append(point)
        return None

    def _point(self, step: int, loss: float) -> Point:
        trainer = self._trainer
        told = sum(len(point["rollbacks"]) for point in self._points)
        return {
            "step": step,
            "network_images": step * trainer.images_per_step,
            "loss": loss,
            "learning_rate": trainer.learning_rate(step - 1),
            **self._curves.scores(),
            "rollbacks": self._rollbacks[told:],
        }

    def _save(self, step: int) -> None:
        header = {
            "identity": self._identity,
            "points": self._points,
            "environment": environment(self._trainer.device),
            "num_processes": self._trainer.processes.num,
        }
        save_checkpoint(self._folder, step, self._trainer.state(), header)

    def _roll_back(self, end: int, problem: str) -> None:
        """Return to the state before the interval that ended at ``end``, at half the learning rate."""
        trainer = self._trainer
        if len(self._rollbacks) == MAX_ROLLBACKS:
            rate, norm = trainer.settings.learning_rate, trainer.settings.max_gradient_norm
            raise NasError(
                f"training diverged: {problem} at step {end}, after {MAX_ROLLBACKS} rollbacks: lower "
                f"training.learning_rate ({rate:g}) or training.max_gradient_norm ({norm:g}) and choose another study "
                "name"
            )
        state = self._start
        if state is None:
            state, _ = load_checkpoint(self._folder, self._watch.warn)
        assert state is not None, "an interval before this one left its checkpoint"
        factor = trainer.rate_factor * RATE_FACTOR
        trainer.load(state)
        trainer.rate_factor = factor
        line = f"step {end}: {problem}: back to step {self._step}, learning rate x {factor:g} from there on"
        self._rollbacks.append(line)
        self._watch.warn(f"{line} (rollback {len(self._rollbacks)} of {MAX_ROLLBACKS})")

    def _resume(self) -> None:
        """Load the newest checkpoint, if there is one, and tell the curves up to it again."""
        state, header = load_checkpoint(self._folder, self._watch.warn)
        if state is None or header is None:
            return
        check_identity(header, self._identity, self._folder)
        now = environment(self._trainer.device)
        if header["environment"] != now:
            self._watch.warn(
                f"checkpoint made under {header['environment']}, now {now}: results may differ in their last bits"
            )
        self._trainer.load(state)
        self._points = header["points"]
        self._rollbacks = [line for point in self._points for line in point["rollbacks"]]
        for point in self._points:
            self._watch.finish(point["step"], point)


def environment(device: torch.device) -> dict[str, str]:
    """Return what bit-equal repetition depends on beside the seed."""
    return {"torch": str(torch.__version__), "threads": str(torch.get_num_threads()), "device": device.type}
