"""Random numbers as a pure function of a seed and of what they are for."""

from __future__ import annotations

import numpy as np

from search_spaces.errors import UsageError

SPLIT, SAMPLE, ORDER, PRUNE = range(4)


def stream(seed: int, *purpose: int) -> np.random.Generator:
    """Return the generator of ``seed`` for one ``purpose``; different purposes draw independent numbers.

    Raises:
        UsageError: the seed is negative.
    """
    if seed < 0:
        raise UsageError(f"seed {seed}: a seed is an integer of 0 or more")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))
