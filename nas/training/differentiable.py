"""Differentiable choice of blocks for a few slots, inside the shared weights (OSNet-AIN, Zhou et al. 2021, 1910.06827).

At a slot all choices run, and their outputs are summed with weights softmax((log w + g) / lambda): log w is learned, g
is Gumbel noise of each step, and the temperature lambda halves on a schedule, so that the sum turns into one choice.
Weights of the blocks and of the choices learn together from the training loss (single level). In the end each slot
takes its largest w; the network is then to be trained as any other, since the mixture's accuracy says little.

The paper keeps w = relu(alpha) and takes its logarithm; here log w itself is learned, so that no choice dies at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits
from nas.training.batch import mixed_seed, training_batch
from nas.training.checkpoint import load_checkpoint, save_checkpoint
from nas.training.losses import Outputs, make_loss
from nas.training.mixture import Slot, find_slots, mixture_weights, run_mixture
from nas.training.optimiser import learning_rate, make_optimiser
from nas.training.part_settings import PartSettings
from nas.training.settings import TrainingSettings
from nas.training.state import below, check_same_shapes, load_optimiser, optimiser_state, under
from nas.training.step import use_bfloat16
from search_spaces.architecture import Architecture
from search_spaces.errors import ConflictError
from search_spaces.sharing import SharedWeights

GUMBEL = 2


class ChoiceSettings(PartSettings):
    """How the choices are learned.

    Attributes:
        temperature: lambda at the start.
        halve_every: share of training after which it halves, again and again.
        min_temperature: where it stays.
        learning_rate: of the choices' weights (Adam).
    """

    temperature: float = Field(10.0, gt=0)
    halve_every: float = Field(0.12, gt=0, le=1)
    min_temperature: float = Field(0.1, gt=0)
    learning_rate: float = Field(0.05, gt=0)


class DifferentiableChoice:
    """Choices at the slots of one network and the shared weights, trained together.

    Every step is a function of the ``state`` and of the step's number.

    Args:
        shared: the shared weights, trained or not; they learn on.
        data: the splits; training images alone are used.
        settings: of the weights: batch size, epochs, optimiser, learning rate, label smoothing, clipping, precision.
        augmentation: of the images.
        seed: of batches and noise.
        base: the network; its values of all other knobs stay.
        knobs: categorical knobs to choose, each of which changes one block.
        choice: how the choices are learned.

    Attributes:
        slots: where the choices stand.
        log_weights: log w of each slot's choices, by knob.
        num_steps: optimiser steps of the whole training.

    Raises:
        UsageError: as ``find_slots``.
    """

    def __init__(
        self,
        shared: SharedWeights,
        data: DataSplits,
        settings: TrainingSettings,
        augmentation: AugmentSettings,
        seed: int,
        base: Architecture,
        knobs: Sequence[str],
        choice: ChoiceSettings | None = None,
    ) -> None:
        self.shared, self.base, self.choice = shared, base, choice or ChoiceSettings()
        self.slots: tuple[Slot, ...] = find_slots(shared.space, base, knobs)
        self.settings = settings
        self._data, self._augmentation, self._seed = data, augmentation, seed
        self._device = data.training.labels.device
        self._blueprint = shared.space.blueprint(base)
        self.log_weights = {
            slot.knob: nn.Parameter(torch.zeros(len(slot.variants), device=self._device)) for slot in self.slots
        }
        self._optimiser = make_optimiser(shared.tensors, settings)
        self._choices = torch.optim.Adam(self.log_weights.values(), lr=self.choice.learning_rate)
        self._loss = make_loss(data.task.loss, settings.label_smoothing)
        self.num_steps = max(1, settings.epochs * (len(data.training) // settings.batch_size))

    def temperature(self, step: int) -> float:
        """Return lambda at ``step``."""
        every = max(1, round(self.choice.halve_every * self.num_steps))
        return max(self.choice.temperature * 0.5 ** (step // every), self.choice.min_temperature)

    def step(self, step: int) -> Tensor:
        """Train one step and return its loss, on the device."""
        images, targets = training_batch(
            self._data, self._blueprint.resolution, self.settings.batch_size, self._augmentation, self._seed, step
        )
        loss: Tensor
        with torch.random.fork_rng([self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(mixed_seed(self._seed, step, 1))
            with torch.autocast(self._device.type, torch.bfloat16, use_bfloat16(self.settings, self._device)):
                loss = self._loss(Outputs(*self._data.task.aligned(self.output(images, step), targets)))
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.shared.tensors.values(), self.settings.max_gradient_norm, foreach=True)
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(step, self.num_steps, self.settings)
        for optimiser in (self._optimiser, self._choices):
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return loss.detach()

    def output(self, images: Tensor, step: int) -> Tensor:
        """Return the logits of the mixture at ``step`` for ``images`` (n, channels, height, width)."""
        blocks = list(self._blueprint.placed())
        return run_mixture(self.shared, blocks, self.slots, self.weights(step), images, step / self.num_steps)

    def weights(self, step: int) -> list[Tensor]:
        """Return each slot's weights at ``step``, (its choices,), which sum to 1."""
        generator = torch.Generator().manual_seed(mixed_seed(self._seed, step, GUMBEL))
        return [mixture_weights(self.log_weights[slot.knob], self.temperature(step), generator) for slot in self.slots]

    def probabilities(self) -> dict[str, list[float]]:
        """Return w of each slot's choices, made to sum to 1, by knob."""
        return {knob: log_weight.detach().softmax(0).tolist() for knob, log_weight in self.log_weights.items()}

    def architecture(self) -> Architecture:
        """Return the network with each slot's choice of the largest weight."""
        genes = self.shared.space.encode([self.base])
        for knob, log_weight in self.log_weights.items():
            genes[:, self.shared.space.column[knob]] = int(log_weight.argmax())
        return self.shared.space.decode(genes)[0]

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next step depends on, by name."""
        return {
            **under("weights", self.shared.tensors),
            **under("choices", self.log_weights),
            **under("optimiser", optimiser_state(self._optimiser, self.shared.tensors)),
            **under("choices_optimiser", optimiser_state(self._choices, self.log_weights)),
        }

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over the ``state`` of another of the same space, slots and settings.

        Raises:
            ConflictError: a tensor is missing or has another shape.
        """
        for prefix, tensors in (("weights", self.shared.tensors), ("choices", self.log_weights)):
            stored = below(prefix, state)
            check_same_shapes(stored, tensors)
            for name, tensor in tensors.items():
                tensor.copy_(stored[name])
        load_optimiser(self._optimiser, self.shared.tensors, below("optimiser", state), self._device)
        load_optimiser(self._choices, self.log_weights, below("choices_optimiser", state), self._device)


def train_choices(
    choice: DifferentiableChoice, folder: Path, identity: Mapping[str, Any], warn: Callable[[str], None]
) -> Architecture:
    """Train to the end, from the newest checkpoint in ``folder`` if there is one, and return the chosen network.

    Args:
        choice: fresh.
        folder: of the checkpoints.
        identity: what a checkpoint must have been made with, plain JSON data; stored with it.
        warn: called with a line of text where a checkpoint is damaged.

    Raises:
        ConflictError: the checkpoint in ``folder`` was made with another ``identity``.
        StorageError: ``folder`` can't be read or written.
    """
    state, header = load_checkpoint(folder, warn)
    start = 0
    if state is not None and header is not None:
        if header["identity"] != identity:
            raise ConflictError(f"the checkpoint in {folder} was made with other settings: choose another folder")
        choice.load(state)
        start = header["step"]
    every = choice.settings.checkpoint_every
    for step in range(start, choice.num_steps):
        choice.step(step)
        if (step + 1) % every == 0 or step + 1 == choice.num_steps:
            save_checkpoint(folder, step + 1, choice.state(), {"identity": identity})
    return choice.architecture()
