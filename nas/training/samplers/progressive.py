"""Progressive shrinking (Once-for-All, Cai et al. 2020, arXiv 1908.09791): first the largest, then ever smaller ones.

Training is cut in phases. A phase opens the knobs that it names, the two largest values first and smaller ones one
after another; they stay open. By default, in the shares of the paper's epochs (180, 120, 145 and 145):

1. image sizes alone are elastic, the network is the largest;
2. kernels and windows;
3. depth: blocks of a stage, and what is repeated inside a block;
4. widths: every other ordered knob.

Categorical knobs draw from all of their choices all the time: none is larger than another.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas.training.opening import draw_open
from nas.training.part_settings import PartSettings
from nas.training.samplers import Batches, Draw, MemorylessSampler, samplers
from search_spaces.errors import UsageError
from search_spaces.space import Genes, SearchSpace


class Phase(PartSettings):
    """One phase.

    Attributes:
        knobs: patterns of names of knobs that it opens (``*.depth``); a knob belongs to the first phase that names it.
        share: of training, relative to the other phases.
    """

    knobs: tuple[str, ...]
    share: float = Field(gt=0)


DEPTHS = ("*depth", "*.num_layers", "*.streams", "*.loops", "*.middle")
PHASES = (
    Phase(knobs=("*resolution", "*height"), share=180),
    Phase(knobs=("*kernel", "*window"), share=120),
    Phase(knobs=DEPTHS, share=145),
    Phase(knobs=("*",), share=145),
)


class ProgressiveSettings(PartSettings):
    """Settings of the sampler.

    Attributes:
        phases: in order; together they name every ordered knob.
        opening: share of a phase after which all values of its knobs are open; the paper's is 25 of 145 epochs.
    """

    phases: tuple[Phase, ...] = Field(PHASES, min_length=1)
    opening: float = Field(25 / 145, ge=0, le=1)


@samplers.register("progressive")
class Progressive(MemorylessSampler):
    """Random networks of the part of the space that is open, all on the same batch."""

    name = "progressive"
    batches: ClassVar[Batches] = "same"
    Settings = ProgressiveSettings
    settings: ProgressiveSettings

    def __init__(self, space: SearchSpace, **settings: object) -> None:
        super().__init__(space, **settings)
        self._phase = np.array([self._phase_of(knob.name) for knob in space.knobs], dtype=np.int64)
        ends = np.cumsum([phase.share for phase in self.settings.phases])
        self._ends = ends / ends[-1]

    def draw(self, draw: Draw) -> Genes:
        """Return ``draw.num`` networks."""
        return draw_open(self.space, draw.rng, draw.num, self.num_open(draw.progress))

    def num_open(self, progress: float) -> NDArray[np.int64]:
        """Return how many values of each knob are open at ``progress`` (0 to 1), (num_knobs,), the largest ones."""
        now = min(int(np.searchsorted(self._ends, progress, side="right")), len(self._ends) - 1)
        start = self._ends[now - 1] if now else 0.0
        inside = (progress - start) / (self._ends[now] - start)
        opened = 1.0 if inside >= self.settings.opening else inside / self.settings.opening
        num_choices = self.space.num_choices.astype(np.int64)
        opening = 2 + np.floor(opened * (num_choices - 2)).astype(np.int64)
        found = np.where(self._phase < now, num_choices, np.where(self._phase == now, opening, 1))
        return np.minimum(found, num_choices)

    def _phase_of(self, knob: str) -> int:
        for number, phase in enumerate(self.settings.phases):
            if any(fnmatchcase(knob, pattern) for pattern in phase.knobs):
                return number
        raise UsageError(
            f"sampler {self.name!r}, setting 'phases' opens no knob {knob!r}: add a pattern, or '*' to the last phase"
        )
