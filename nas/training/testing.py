"""The contract of samplers, to be run on those that are your own."""

from __future__ import annotations

import numpy as np

from nas.training.samplers import Sampler
from search_spaces.space import SearchSpace


def check_sampler(kind: type[Sampler], space: SearchSpace, num_draws: int = 20) -> None:
    """Check that a sampler gives as many canonical rows as asked, by its generator alone and without a memory.

    Training that is resumed at any step relies on all of it.

    Raises:
        AssertionError: it does not; the message says what.
    """
    assert isinstance(kind.own_batches, bool), f"own_batches is {kind.own_batches!r}: give True or False"
    reused = kind()
    for seed in range(num_draws):
        for num in (2, 3, 8):
            before = np.random.get_state(legacy=False)
            genes = reused.draw(space, np.random.default_rng(seed), num)
            fresh = kind().draw(space, np.random.default_rng(seed), num)
            after = np.random.get_state(legacy=False)
            assert genes.shape == (num, len(space.knobs)), f"{num} networks were asked for, the shape is {genes.shape}"
            assert np.array_equal(space.canonical(genes), genes), f"rows are not canonical: {genes.tolist()}"
            assert np.array_equal(genes, fresh), "the same generator gave other rows: a draw depends on earlier ones"
            assert repr(before) == repr(after), "numpy's global generator was used: draw from the one that is given"
