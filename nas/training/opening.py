"""Choices that open up one after another during training, the largest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search_spaces.space import Genes, SearchSpace


def draw_open(space: SearchSpace, rng: np.random.Generator, num: int, num_open: NDArray[np.int64]) -> Genes:
    """Return ``num`` networks whose knobs draw evenly from their ``num_open`` (num_knobs,) largest values.

    Categorical knobs draw from all of theirs: none is larger than another.
    """
    ordered = np.array([knob.ordered for knob in space.knobs], dtype=bool)
    lowest = np.where(ordered, space.num_choices - np.minimum(num_open, space.num_choices), 0)
    shape = (num, len(space.knobs))
    return space.canonical(rng.integers(lowest, space.num_choices, size=shape, dtype=np.int16))
