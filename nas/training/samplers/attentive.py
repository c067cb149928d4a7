"""AttentiveNAS (Wang et al. 2021, arXiv 2011.09011): of networks of like cost, the best or the worst is trained.

Each chosen network: a target of MACs from the prior, which is how random networks are spread; ``candidates`` networks
that meet it; of them the one with the lowest loss on the step's batch (``best``: networks of the Pareto front get the
training) or with the highest (``worst``: those that lag get it). The largest and the smallest network are trained
too, as in the sandwich rule.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nas.training.macs import MacsGenerator
from nas.training.part_settings import PartSettings
from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from nas.training.samplers.sandwich import ends
from search_spaces.space import Genes, SearchSpace


class AttentiveSettings(PartSettings):
    """Settings of the sampler.

    Attributes:
        mode: which of the candidates is trained.
        candidates: networks whose loss is compared, the paper's k; each costs a forward pass.
    """

    mode: Literal["best", "worst"] = "best"
    candidates: int = Field(3, ge=1)


@samplers.register("attentive")
class Attentive(MemorylessSampler):
    """The largest, the smallest and attentively chosen networks, all on the same batch."""

    name = "attentive"
    batches: ClassVar[Batches] = "same"
    Settings = AttentiveSettings
    settings: AttentiveSettings

    def __init__(self, space: SearchSpace, **settings: object) -> None:
        super().__init__(space, **settings)
        self._generator = MacsGenerator(space)

    def draw(self, draw: Draw) -> Genes:
        """Return the largest, the smallest and ``draw.num - 2`` chosen networks.

        Raises:
            UsageError: fewer than 2 networks are asked for.
        """
        both, num = ends(self.space, self.name, draw.num), draw.num - 2
        if num == 0:
            return both
        num_candidates = self.settings.candidates
        targets = self._generator.count(self.space.sample(draw.rng, num))
        genes = self._generator.draw(draw.rng, np.repeat(targets, num_candidates))
        losses = draw.losses(genes).reshape(num, num_candidates)
        chosen = losses.argmin(axis=1) if self.settings.mode == "best" else losses.argmax(axis=1)
        return np.concatenate([both, genes[chosen + num_candidates * np.arange(num)]])
