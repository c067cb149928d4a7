"""Masked pre-training of the shared weights of a convolutional space (SparK: Tian et al. 2023, arXiv 2301.03580).

Cells of every image are hidden, the networks of a step encode what is visible (``sparse.py``), and one light decoder
fills in the rest (``reconstruction.py``). The largest network is always among them, so that every tensor learns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits
from nas.training.batch import mixed_seed, training_batch
from nas.training.masked_settings import MaskedPretrainingSettings
from nas.training.optimiser import learning_rate, make_optimiser
from nas.training.reconstruction import Decoder, reconstruction_loss
from nas.training.settings import TrainingSettings
from nas.training.sparse import cells_of, check_space, encode, masks_of, strides, visible_cells
from nas.training.state import below, check_same_shapes, load_optimiser, optimiser_state, under
from nas.training.step import use_bfloat16
from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.sharing import SharedWeights, covering_set
from search_spaces.space import SearchSpace

PURPOSE = 6
"""Of the random numbers here, so that they are not those of training's steps."""


class MaskedTrainer:
    """Shared weights with a decoder; ``step`` is a function of the state and the step's number.

    Attributes:
        num_steps: optimiser steps of the pre-training.
        parameters: the shared tensors and the decoder's, by name.

    Raises:
        UsageError: the space is not convolutional, or its coarsest map is too small to hide a part of it.
    """

    def __init__(
        self,
        shared: SharedWeights,
        data: DataSplits,
        settings: TrainingSettings,
        masking: MaskedPretrainingSettings,
        augmentation: AugmentSettings,
        seed: int,
    ) -> None:
        self.shared, self.data, self.settings, self.seed = shared, data, settings, seed
        self.device = data.training.labels.device
        self.num_steps = masking.steps
        self._masking, self._augmentation = masking, augmentation
        self._autocast = use_bfloat16(settings, self.device)
        self._decoder = self._new_decoder()
        decoder = {f"decoder.{name}": parameter for name, parameter in self._decoder.named_parameters()}
        self.parameters: dict[str, nn.Parameter] = {**shared.tensors, **decoder}
        self.optimiser = make_optimiser(self.parameters, settings)

    def _new_decoder(self) -> Decoder:
        widths: dict[int, int] = {}
        check_space(self.shared.space)
        for architecture in covering_set(self.shared.space):
            blueprint = self.shared.space.blueprint(architecture)
            for stride, placed in zip(strides(blueprint), blueprint.placed(), strict=False):
                widths[stride] = max(widths.get(stride, 0), placed.out_width)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mixed_seed(self.seed, PURPOSE))
            decoder = Decoder(widths, self.data.in_channels, self._masking.decoder_width)
        return decoder.to(self.device)

    def architectures(self, step: int) -> list[Architecture]:
        """Return the networks that ``step`` trains: a pure function of the seed and the step."""
        rng = np.random.default_rng([self.seed, step, PURPOSE])
        return largest_and_random(self.shared.space, rng, self.settings.networks_per_step)

    def step(self, step: int) -> Tensor:
        """Train one step and return its mean loss, on the device."""
        total = torch.zeros((), device=self.device)
        architectures = self.architectures(step)
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(mixed_seed(self.seed, step, PURPOSE))
            for number, architecture in enumerate(architectures):
                loss = self.loss(self.shared.space.blueprint(architecture), step, number) / len(architectures)
                torch.autograd.backward(loss)
                total += loss.detach()
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.settings.max_gradient_norm, foreach=True)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(step, self.num_steps, self.settings)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return total

    def loss(self, blueprint: Blueprint, step: int, number: int) -> Tensor:
        """Return the reconstruction loss of the network ``number`` of ``step``, a scalar."""
        resolution, stride = blueprint.resolution, strides(blueprint)[-1]
        images, _ = training_batch(self.data, resolution, self.settings.batch_size, self._augmentation, self.seed, step)
        # Drawn on the CPU, so that every device hides the same cells.
        generator = torch.Generator().manual_seed(mixed_seed(self.seed, step, number, PURPOSE))
        visible = visible_cells(len(images), cells_of(blueprint), self._masking.mask_ratio, generator).to(self.device)
        masks = masks_of(visible, resolution, stride)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast):
            maps = encode(self.shared, blueprint, images, masks, step / self.num_steps)
            reconstructed = self._decoder(maps, masks, resolution)
        return reconstruction_loss(reconstructed, images, visible, stride)

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next step depends on, by name."""
        return {
            **under("parameters", self.parameters),
            **under("optimiser", optimiser_state(self.optimiser, self.parameters)),
        }

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over the ``state`` of another trainer of the same space and settings.

        Raises:
            ConflictError: a tensor is missing or has another shape: the space's code is not what it was.
        """
        check_same_shapes(below("parameters", state), self.parameters)
        for name, value in below("parameters", state).items():
            self.parameters[name].copy_(value)
        load_optimiser(self.optimiser, self.parameters, below("optimiser", state), self.device)


def largest_and_random(space: SearchSpace, rng: np.random.Generator, num: int) -> list[Architecture]:
    """Return the largest network and ``num - 1`` random ones."""
    return [space.largest(), *space.decode(space.sample(rng, num - 1))] if num > 1 else [space.largest()]
