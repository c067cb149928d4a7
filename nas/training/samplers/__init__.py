"""Samplers: which networks one optimiser step trains. One file each.

A draw is a function of the random generator that it is given, of the progress of training and of the sampler's
``state``, so that training resumed at any step draws the same next networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nas.training.part_settings import PartSettings, read_settings
from search_spaces.registry import Registry
from search_spaces.space import Genes, SearchSpace

Batches = Literal["own", "same", "split"]
State = Mapping[str, NDArray[Any]]
PerNetwork = Callable[[Genes], NDArray[np.float64]]
"""One number a network: (n, num_knobs) -> (n,)."""


@dataclass(frozen=True)
class Draw:
    """What a sampler may look at.

    Attributes:
        rng: a function of the seed and the step.
        num: networks to draw.
        progress: how far training has come: step / number of steps, 0 to 1.
        losses: training loss of networks on this step's batch, without gradients; each costs a forward pass.
    """

    rng: np.random.Generator
    num: int
    progress: float
    losses: PerNetwork


class Sampler(Protocol):
    """Draws the networks of a step.

    Attributes:
        batches: ``own``: each network of a step gets a batch of its own; ``same``: all get the same one; ``split``:
            one batch is cut in equal groups, one a network, that pass forward and backward together.
        measure_every: steps between calls of ``measure``; 0: it is never called.
    """

    batches: ClassVar[Batches]
    measure_every: int

    def __init__(self, space: SearchSpace, **settings: object) -> None: ...

    def draw(self, draw: Draw) -> Genes:
        """Return the genes of ``draw.num`` networks."""
        ...

    def measure(self, gradient_norms: PerNetwork) -> None:
        """Learn from the norms of the gradients of networks' losses on held-out images."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what draws depend on beside their ``Draw``; it is stored in checkpoints."""
        ...

    def load(self, state: State) -> None:
        """Take over the ``state`` of another sampler of the same space and settings."""
        ...


class MemorylessSampler:
    """Base of samplers whose draws depend on their ``Draw`` alone; a subclass with settings gives their ``Settings``.

    Attributes:
        name: under which the sampler is registered; errors call it so.
        space: the space.
        settings: checked.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[PartSettings]] = PartSettings
    measure_every: int = 0

    def __init__(self, space: SearchSpace, **settings: object) -> None:
        self.space = space
        self.settings = read_settings(f"sampler {self.name!r}", self.Settings, settings)

    def measure(self, gradient_norms: PerNetwork) -> None:
        """Learn nothing."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return nothing."""
        return {}

    def load(self, state: State) -> None:
        """Take over nothing."""


samplers: Registry[type[Sampler]] = Registry("sampler", "nas.training.samplers")
