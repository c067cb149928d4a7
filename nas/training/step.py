"""One optimiser step: networks of the sampler, gradients accumulated, clipped once, averaged weights moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nas.data.placement import onto
from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits
from nas.training.batch import Batch, mixed_seed
from nas.training.gradients import Parts, Processes, take_gradients, tree_sum
from nas.training.importance import sort_in_training
from nas.training.losses.cross_entropy import cross_entropy_per_image
from nas.training.objective import Objective
from nas.training.optimiser import learning_rate, make_optimiser, update_average
from nas.training.passes import network_losses
from nas.training.plan import num_steps
from nas.training.probe import Probe
from nas.training.samplers import Draw, samplers
from nas.training.settings import TrainingSettings
from nas.training.state import (
    below,
    check_same_shapes,
    from_arrays,
    load_optimiser,
    optimiser_state,
    to_arrays,
    under,
)
from nas.training.step_batches import StepBatches
from nas.training.teacher import Seen, seen
from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.population import PopulationCost
from search_spaces.sharing import SharedWeights, covering_set
from search_spaces.space import Genes

LOSS, IMAGE_LOSSES, IMAGE_COUNTS = "loss", "image losses", "image counts"
TRAINING, PROBING, PREPARING = 1, 2, 3
"""What random numbers of one step and shard are for."""


class Trainer:
    """Shared weights, their optimiser and moving average; ``step`` is a function of the state and the step's number.

    Attributes:
        num_steps: optimiser steps of the whole training.
        rate_factor: what every learning rate is multiplied by; less than 1 after a rollback.
        average: moving average of the shared tensors by name.
        parameters: everything that the optimiser moves, by name: the shared tensors and the losses' own.
        processes: those that train together; each has a trainer of its own with the same weights.

    Raises:
        UsageError: settings that can't be used, or a batch that can't be cut in as many parts as they ask for.
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
        self.device = data.training.labels.device
        self.processes = Processes.current()
        self._shards = self.processes.shards(settings.gradient_shards)
        self._batches = StepBatches(data, settings, augmentation, seed)
        self._sampler = samplers.get(settings.sampler)(shared.space, **settings.sampler_settings)
        self._autocast = use_bfloat16(settings, self.device)
        self.num_steps = num_steps(self._batches.order.num_batches, settings)
        self._sort_step = None if settings.sort_channels_at is None else int(settings.sort_channels_at * self.num_steps)
        self.rate_factor = 1.0
        self._objective = Objective(settings, data)
        if self._batches.order.records and data.task.name != "classification":
            raise UsageError(
                f"training.pruning leaves images out by their cross entropy: task {data.task.name!r} has none: leave "
                "it out"
            )
        self._macs = PopulationCost(shared.space) if self._objective.in_place else None
        self._prepare_losses()
        self.parameters = {**shared.tensors, **self._objective.parameters()}
        self.optimiser = make_optimiser(self.parameters, settings)
        self.average = {name: tensor.detach().clone() for name, tensor in shared.tensors.items()}

    def _prepare_losses(self) -> None:
        covering = [self.shared.space.blueprint(each) for each in covering_set(self.shared.space)]
        with self._randomness(0, 0, PREPARING):
            self._objective.prepare(covering, self._forward(0), self._batches.few(), self.seed)

    # -- one step ---------------------------------------------------------------------------------------------------

    def genes(self, step: int) -> Genes:
        """Return the networks that ``step`` trains: a function of the seed, the step and the sampler's state."""
        rng = np.random.default_rng([self.seed, step])
        probe = self._probe(step, lambda: self._batches.whole(step))
        draw = Draw(rng, self.settings.networks_per_step, step / self.num_steps, probe.losses)
        return self._sampler.draw(draw)

    def architectures(self, step: int) -> list[Architecture]:
        """Return the networks of ``genes``."""
        return self.shared.space.decode(self.genes(step))

    def step(self, step: int) -> Tensor:
        """Train one step and return its mean loss, on the device (reading it would wait for the device)."""
        if step == self._sort_step:
            sort_in_training(self.shared, self.average, self.optimiser)
        every = self._sampler.measure_every
        if every and step and step % every == 0:
            self._sampler.measure(self._probe(step, lambda: self._batches.held_out(step)).gradient_norms)
        total = self.accumulate(step)
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.max_gradient_norm, foreach=True)
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(step)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        update_average(self.average.values(), self.shared.tensors.values(), step, self.settings.ema_decay)
        return total

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of ``step``."""
        return self.rate_factor * learning_rate(step, self.num_steps, self.settings)

    @property
    def images_per_step(self) -> int:
        """Images that pass through a network in one step, each counted once for each of its networks."""
        split = self._batches.num_groups > 1
        return self.settings.batch_size * (1 if split else self.settings.networks_per_step)

    def accumulate(self, step: int) -> Tensor:
        """Set the gradients to those of the mean loss of the step's networks, and return it."""
        genes = self.genes(step)
        blueprints = self._blueprints(genes)
        teacher = None if self._macs is None else int(np.argmax(self._macs.counts(genes)[:, 1]))
        own = tree_sum(
            lambda shard: self._shard(step, blueprints, teacher, shard), self._shards.start, len(self._shards)
        )
        parts = self.processes.sum(own)
        total = parts.pop(LOSS)
        if self._batches.order.records:
            self._batches.order.record(parts.pop(IMAGE_LOSSES), parts.pop(IMAGE_COUNTS))
        for name, gradient in parts.items():
            self.parameters[name].grad = gradient
        return total

    def _shard(self, step: int, blueprints: Sequence[Blueprint], teacher: int | None, shard: int) -> Parts:
        """Return the gradients that one shard of the images adds, and its part of the loss."""
        num = len(blueprints) * self.settings.gradient_shards
        total = torch.zeros((), device=self.device)
        together: list[Tensor] = []
        of_images = self._no_image_losses()
        with self._randomness(step, shard, TRAINING):
            batch_of = self._batches.of(step, shard)
            record = partial(_add_image_losses, of_images)
            found = network_losses(blueprints, batch_of, self._forward(step), self._objective, record, teacher)
            for loss in found:
                total += loss.detach() / num
                if self._batches.num_groups == 1:
                    torch.autograd.backward(loss / num)
                else:
                    together.append(loss / num)
            if together:
                torch.autograd.backward(torch.stack(together).sum())
        return {**take_gradients(self.parameters), **of_images, LOSS: total}

    def _no_image_losses(self) -> Parts:
        """Return what a shard's image losses are added to; nothing where nobody wants them."""
        if not self._batches.order.records:
            return {}
        num = len(self.data.training)
        return {name: torch.zeros(num, device=self.device) for name in (IMAGE_LOSSES, IMAGE_COUNTS)}

    def _probe(self, step: int, make_batch: Callable[[], Batch]) -> Probe:
        randomness = partial(self._randomness, step, 0, PROBING)
        forward = self._forward(step)
        return Probe(self._blueprints, make_batch, forward, self._objective, self.parameters, randomness)

    def _forward(self, step: int) -> Callable[[Blueprint, Tensor], Seen]:
        progress = step / self.num_steps

        def forward(blueprint: Blueprint, images: Tensor) -> Seen:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast):
                logits, features = self.shared.run(
                    blueprint, images, "train", progress=progress, drop_path=self.settings.drop_path, features=True
                )
            return seen(logits, features)

        return forward

    def _blueprints(self, genes: Genes) -> list[Blueprint]:
        return [self.shared.space.blueprint(each) for each in self.shared.space.decode(genes)]

    @contextmanager
    def _randomness(self, step: int, shard: int, purpose: int) -> Iterator[None]:
        """Let blocks that drop units at random, from torch's global generators, draw as a function of these."""
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(mixed_seed(self.seed, step, shard, purpose))
            yield

    # -- state ------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next step depends on, by name."""
        return {
            **under("weights", self.shared.tensors),
            **under("average", self.average),
            **self._objective.parameters(),
            **under("optimiser", optimiser_state(self.optimiser, self.parameters)),
            **under("order", self._batches.order.state()),
            "guard/rate_factor": torch.tensor(self.rate_factor, dtype=torch.float64),
            **under("sampler", from_arrays(self._sampler.state())),
        }

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over the ``state`` of another trainer of the same space and settings.

        Raises:
            ConflictError: a tensor is missing or has another shape: the space's code is not what it was.
        """
        check_same_shapes(below("weights", state), self.shared.tensors)
        for name, value in below("weights", state).items():
            self.shared.tensors[name].copy_(value)
        for name, value in below("average", state).items():
            self.average[name].copy_(value)
        for name, tensor in self._objective.parameters().items():
            tensor.copy_(state[name])
        load_optimiser(self.optimiser, self.parameters, below("optimiser", state), self.device)
        self._batches.order.load(below("order", state))
        self.rate_factor = float(state["guard/rate_factor"])
        self._sampler.load(to_arrays(below("sampler", state)))


def _add_image_losses(sums: Parts, logits: Tensor, batch: Batch) -> None:
    """Add the cross entropy of each image of a batch."""
    if sums:
        chosen = onto(batch.indices, logits.device)
        sums[IMAGE_LOSSES].index_add_(0, chosen, cross_entropy_per_image(logits, batch.targets))
        sums[IMAGE_COUNTS].index_add_(0, chosen, torch.ones_like(chosen, dtype=torch.float32))


def use_bfloat16(settings: TrainingSettings, device: torch.device) -> bool:
    """Return whether forward passes run in bfloat16."""
    if settings.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return settings.precision == "bfloat16"
