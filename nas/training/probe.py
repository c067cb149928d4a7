"""What samplers may measure: losses and gradients of networks on one batch, without training on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.training.batch import Batch
from nas.training.gradients import take_gradients
from nas.training.objective import Forward, Objective
from search_spaces.blueprint import Blueprint
from search_spaces.space import Genes


@dataclass(frozen=True)
class Probe:
    """Networks on one batch, which is made when it is first looked at.

    Attributes:
        blueprints: genes to what they mean.
        make_batch: makes the batch.
        forward: runs a network.
        objective: its loss on the targets is measured.
        parameters: of which gradients are measured, by name; they have none before and after.
        randomness: entered around each network, so that all drop the same units.
    """

    blueprints: Callable[[Genes], Sequence[Blueprint]]
    make_batch: Callable[[], Batch]
    forward: Forward
    objective: Objective
    parameters: Mapping[str, nn.Parameter]
    randomness: Callable[[], AbstractContextManager[None]]

    @cached_property
    def _batch(self) -> Batch:
        return self.make_batch()

    @torch.no_grad()
    def losses(self, genes: Genes) -> NDArray[np.float64]:
        """Return the loss of each network, (n,), from one forward pass each."""
        return _numbers([self._loss(blueprint) for blueprint in self.blueprints(genes)])

    def gradient_norms(self, genes: Genes) -> NDArray[np.float64]:
        """Return the norm of the gradient of each network's loss, (n,)."""
        norms = []
        for blueprint in self.blueprints(genes):
            torch.autograd.backward(self._loss(blueprint))
            gradients = list(take_gradients(self.parameters).values())
            norms.append(torch.stack(torch._foreach_norm(gradients)).norm())
        return _numbers(norms)

    def _loss(self, blueprint: Blueprint) -> Tensor:
        with self.randomness():
            seen = self.forward(blueprint, self._batch.images(blueprint.resolution))
            return self.objective.on_targets(seen, self._batch)


def _numbers(values: Sequence[Tensor]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = torch.stack(list(values)).double().cpu().numpy()
    return found
