"""One optimiser step: networks of the sampler, gradients accumulated, clipped once, averaged weights moved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits
from nas.training.batch import mixed_seed, training_batch
from nas.training.optimiser import learning_rate, make_optimiser, update_average
from nas.training.samplers import samplers
from nas.training.settings import TrainingSettings
from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.errors import ConflictError
from search_spaces.sharing import SharedWeights


class Trainer:
    """Shared weights, their optimiser and moving average; ``step`` is a function of the state and the step's number.

    Attributes:
        num_steps: optimiser steps of the whole training.
        average: moving average of the shared tensors by name.
    """

    def __init__(
        self,
        shared: SharedWeights,
        data: DataSplits,
        settings: TrainingSettings,
        augmentation: AugmentSettings,
        seed: int,
    ) -> None:
        self.shared, self.data, self.settings, self.seed = shared, data, settings, seed
        self.device = data.training.images.device
        self._augmentation = augmentation
        self._sampler = samplers.get(settings.sampler)()
        self.optimiser = make_optimiser(shared.tensors, settings)
        self.average = {name: tensor.detach().clone() for name, tensor in shared.tensors.items()}
        self._loss = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
        self._autocast = use_bfloat16(settings, self.device)
        self.num_steps = num_steps(len(data.training), settings)

    def architectures(self, step: int) -> list[Architecture]:
        """Return the networks that ``step`` trains: a pure function of the seed and the step."""
        rng = np.random.default_rng([self.seed, step])
        genes = self._sampler.draw(self.shared.space, rng, self.settings.networks_per_step)
        return self.shared.space.decode(genes)

    def step(self, step: int) -> Tensor:
        """Train one step and return its mean loss, on the device (reading it would wait for the device)."""
        total = self.accumulate(step)
        tensors = list(self.shared.tensors.values())
        torch.nn.utils.clip_grad_norm_(tensors, self.settings.max_gradient_norm, foreach=True)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(step, self.num_steps, self.settings)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        update_average(self.average.values(), tensors, step, self.settings.ema_decay)
        return total

    def accumulate(self, step: int) -> Tensor:
        """Add the gradients of the step's networks, each divided by their number, and return the mean loss."""
        architectures = self.architectures(step)
        total = torch.zeros((), device=self.device)
        batches: dict[tuple[int, tuple[int, int]], tuple[Tensor, Tensor]] = {}
        # A block may drop units at random: it draws from torch's global generators.
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(mixed_seed(self.seed, step, 1))
            for number, architecture in enumerate(architectures):
                blueprint = self.shared.space.blueprint(architecture)
                index = step * len(architectures) + number if self._sampler.own_batches else step
                if (index, blueprint.resolution) not in batches:
                    batches[index, blueprint.resolution] = self._batch(index, blueprint.resolution)
                loss = self._loss_of(step, blueprint, *batches[index, blueprint.resolution]) / len(architectures)
                torch.autograd.backward(loss)
                total += loss.detach()
        return total

    def _batch(self, index: int, resolution: tuple[int, int]) -> tuple[Tensor, Tensor]:
        return training_batch(self.data, resolution, self.settings.batch_size, self._augmentation, self.seed, index)

    def _loss_of(self, step: int, blueprint: Blueprint, images: Tensor, labels: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast):
            logits = self.shared.run(blueprint, images, "train", progress=step / self.num_steps)
            loss: Tensor = self._loss(logits, labels)
        return loss

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next step depends on, by name."""
        found: dict[str, Tensor] = {}
        for name, tensor in self.shared.tensors.items():
            found[f"weights/{name}"] = tensor
            found[f"average/{name}"] = self.average[name]
            for key, value in self.optimiser.state.get(tensor, {}).items():
                found[f"optimiser/{key}/{name}"] = value
        return found

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over the ``state`` of another trainer of the same space and settings.

        Raises:
            ConflictError: a tensor is missing or has another shape: the space's code is not what it was.
        """
        self._check_shapes(state)
        for name, tensor in self.shared.tensors.items():
            tensor.copy_(state[f"weights/{name}"])
            self.average[name].copy_(state[f"average/{name}"])
        self.optimiser.state.clear()
        for key, value in state.items():
            kind, _, rest = key.partition("/")
            if kind == "optimiser":
                entry, _, name = rest.partition("/")
                device = "cpu" if entry == "step" else self.device
                self.optimiser.state[self.shared.tensors[name]][entry] = value.clone().to(device)

    def _check_shapes(self, state: Mapping[str, Tensor]) -> None:
        stored = {
            key.partition("/")[2]: list(value.shape) for key, value in state.items() if key.startswith("weights/")
        }
        needed = {name: list(tensor.shape) for name, tensor in self.shared.tensors.items()}
        for name in sorted(stored.keys() | needed.keys()):
            if stored.get(name) != needed.get(name):
                raise ConflictError(
                    f"the stored training state has parameter {name!r} of shape {stored.get(name)}, the space needs "
                    f"{needed.get(name)}: the code of the space changed since: choose another study name or folder"
                )


def num_steps(num_images: int, settings: TrainingSettings) -> int:
    """Return the optimiser steps that make ``settings.epochs`` passes of one network each over the images."""
    own = settings.networks_per_step if samplers.get(settings.sampler).own_batches else 1
    return max(1, settings.epochs * (num_images // settings.batch_size) // own)


def use_bfloat16(settings: TrainingSettings, device: torch.device) -> bool:
    """Return whether forward passes run in bfloat16."""
    if settings.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return settings.precision == "bfloat16"
