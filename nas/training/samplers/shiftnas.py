"""ShiftNAS (Zhang et al. 2023, arXiv 2307.08300): groups of networks by MACs; those trained too little come up more.

A group's training sufficiency is the norm of the gradient of a held-out loss of its networks, which goes to zero as
they converge: s_k, a moving average over measurements, relative to the mean of all groups. A step draws group k with
probability p_k = (1 - floor) softmax(s / temperature)_k + floor / K, a request of MACs evenly inside the group on a
logarithmic axis, and a network that meets it. Before ``warmup`` of the training all groups are equally likely: networks
that have learned nothing yet have small gradients, too, so that it must last until the smallest have begun to learn.

The paper moves the probabilities by finite differences and meets the request with a trained generator (an LSTM); here
both are closed form: the update is the norm itself, and MACs are counted exactly (``nas/training/macs.py``).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas.training.macs import MacsGenerator
from nas.training.part_settings import PartSettings
from nas.training.samplers import Batches, Draw, MemorylessSampler, PerNetwork, State, samplers
from search_spaces.errors import ConflictError
from search_spaces.space import Genes, SearchSpace

SEED_OF_MEASUREMENTS = 20230


class ShiftNasSettings(PartSettings):
    """Settings of the sampler.

    Attributes:
        num_groups: K, bins of equal width in the logarithm of MACs; those that hold no network are left out.
        temperature: of the softmax; lower shifts more.
        floor: share of the draws that stays even over the groups.
        warmup: share of training with even probabilities.
        measure_every: steps between measurements; each costs ``networks_per_group`` gradients a group.
        networks_per_group: networks of a group that one measurement averages over.
        momentum: of the moving average of a group's norms.
    """

    num_groups: int = Field(8, ge=1, le=1000)
    temperature: float = Field(0.5, gt=0)
    floor: float = Field(0.2, ge=0, le=1)
    warmup: float = Field(0.3, ge=0, le=1)
    measure_every: int = Field(100, ge=1)
    networks_per_group: int = Field(1, ge=1)
    momentum: float = Field(0.8, ge=0, lt=1)


@samplers.register("shiftnas")
class ShiftNas(MemorylessSampler):
    """Networks of groups of MACs, each on a batch of its own.

    Attributes:
        bounds: smallest and largest MACs of each group, (K, 2) int64.
        sufficiency: moving average of each group's gradient norm, (K,); ones before the first measurement.
    """

    name = "shiftnas"
    batches: ClassVar[Batches] = "own"
    Settings = ShiftNasSettings
    settings: ShiftNasSettings

    def __init__(self, space: SearchSpace, **settings: object) -> None:
        super().__init__(space, **settings)
        self.measure_every = self.settings.measure_every
        self._generator = MacsGenerator(space)
        self.bounds = group_bounds(self._generator.macs, self.settings.num_groups)
        self.sufficiency = np.ones(len(self.bounds))
        self._num_measurements = 0

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each group once warm-up is over, (K,)."""
        # Where no group has a gradient at all, none is trained less than another.
        mean = self.sufficiency.mean() or 1.0
        scores = self.sufficiency / mean / self.settings.temperature
        weights = np.exp(scores - scores.max())
        floor = self.settings.floor
        return np.asarray((1 - floor) * weights / weights.sum() + floor / len(scores))

    def draw(self, draw: Draw) -> Genes:
        """Return ``draw.num`` networks, each of a group of its own drawing."""
        warm = draw.progress >= self.settings.warmup
        groups = draw.rng.choice(len(self.bounds), size=draw.num, p=self.probabilities if warm else None)
        return self.of_groups(draw.rng, groups)

    def of_groups(self, rng: np.random.Generator, groups: NDArray[np.int64]) -> Genes:
        """Return one network of each of ``groups``."""
        return self._generator.draw(rng, self.requests(rng, groups))

    def requests(self, rng: np.random.Generator, groups: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return MACs inside each of ``groups``, even on a logarithmic axis, at which a network is known, (n,)."""
        low, high = np.log(self.bounds[groups]).T
        return self._generator.nearest(np.exp(rng.uniform(low, high)))

    def measure(self, gradient_norms: PerNetwork) -> None:
        """Move each group's average towards the norm of its networks' gradients; the first measurement sets it.

        Norms that are not finite are left out.
        """
        rng = np.random.default_rng([SEED_OF_MEASUREMENTS, self._num_measurements])
        num = self.settings.networks_per_group
        norms = gradient_norms(self.of_groups(rng, np.repeat(np.arange(len(self.bounds)), num)))
        found = np.asarray(norms, dtype=np.float64).reshape(-1, num).mean(axis=1)
        momentum = self.settings.momentum if self._num_measurements else 0.0
        moved = momentum * self.sufficiency + (1 - momentum) * found
        self.sufficiency = np.where(np.isfinite(moved), moved, self.sufficiency)
        self._num_measurements += 1

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the groups' averages and the number of measurements."""
        return {"sufficiency": self.sufficiency.copy(), "num_measurements": np.array(self._num_measurements)}

    def load(self, state: State) -> None:
        """Take over another's averages.

        Raises:
            ConflictError: it has another number of groups.
        """
        sufficiency = np.array(state["sufficiency"], dtype=np.float64)
        if sufficiency.shape != self.sufficiency.shape:
            raise ConflictError(
                f"the stored state of sampler {self.name!r} has {len(sufficiency)} groups, these settings make "
                f"{len(self.sufficiency)}: choose another study name or give the settings that it was made with"
            )
        self.sufficiency = sufficiency
        self._num_measurements = int(state["num_measurements"])


def group_bounds(macs: NDArray[np.int64], num_groups: int) -> NDArray[np.int64]:
    """Return the least and largest MACs that a known network of each group has, (K, 2), groups without one left out.

    Args:
        macs: of known networks, ascending, (n,).
        num_groups: bins of equal width in log MACs.
    """
    edges = np.linspace(np.log(macs[0]), np.log(macs[-1]), num_groups + 1)[1:-1]
    group = np.searchsorted(edges, np.log(macs), side="right")
    return np.stack([macs[group == k][[0, -1]] for k in np.unique(group)])
