"""The contract of samplers, to be run on those that are your own."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from nas.training.samplers import Batches, Draw, Sampler
from search_spaces.space import Genes, SearchSpace

PROGRESS = (0.0, 0.3, 0.95)


def a_draw(seed: int, num: int, progress: float = 0.0) -> Draw:
    """Return a draw for tests: the loss of a network is an arbitrary fixed function of its genes."""
    return Draw(np.random.default_rng(seed), num, progress, _number)


def check_sampler(
    kind: type[Sampler], space: SearchSpace, num_draws: int = 20, nums: tuple[int, ...] = (3, 4, 8), **settings: object
) -> None:
    """Check that a sampler gives as many canonical rows as asked, by its draw and its state alone.

    Training that is resumed at any step relies on all of it. A sampler that measures does so between the draws; one
    that has ``probabilities`` keeps their sum at 1.

    Args:
        kind: the sampler.
        space: to draw from.
        num_draws: random generators to draw with.
        nums: networks to ask for.
        settings: of the sampler.

    Raises:
        AssertionError: it does not; the message says what.
    """
    assert kind.batches in get_args(Batches), f"batches is {kind.batches!r}: give one of {get_args(Batches)}"
    reused = kind(space, **settings)
    for seed in range(num_draws):
        for num in nums:
            _check_draw(kind(space, **settings), reused, space, seed, num)
        if reused.measure_every:
            _check_memory(kind, space, reused, **settings)
        _check_probabilities(reused)


def _check_draw(fresh: Sampler, reused: Sampler, space: SearchSpace, seed: int, num: int) -> None:
    progress = PROGRESS[seed % len(PROGRESS)]
    fresh.load(_copied(reused))
    before = np.random.get_state(legacy=False)
    genes = reused.draw(a_draw(seed, num, progress))
    again = fresh.draw(a_draw(seed, num, progress))
    after = np.random.get_state(legacy=False)
    assert genes.shape == (num, len(space.knobs)), f"{num} networks were asked for, the shape is {genes.shape}"
    assert np.array_equal(space.canonical(genes), genes), f"rows are not canonical: {genes.tolist()}"
    assert np.array_equal(genes, again), "the same generator gave other rows: a draw depends on earlier ones"
    assert repr(before) == repr(after), "numpy's global generator was used: draw from the one that is given"


def _check_memory(kind: type[Sampler], space: SearchSpace, used: Sampler, **settings: object) -> None:
    """Check that one measurement changes the state, and that of a sampler that takes the state over alike."""
    state = used.state()
    before, fresh = _copied(used), kind(space, **settings)
    fresh.load(state)
    for sampler in (used, fresh):
        sampler.measure(_number)
    assert _same(before, state), "an array that state() gave changed with the sampler: give copies"
    assert not _same(before, _copied(used)), "measure() left the state as it was: what it learns must be in it"
    assert _same(_copied(used), _copied(fresh)), "a sampler that took over the state learned something else"


def _check_probabilities(sampler: Sampler) -> None:
    probabilities = getattr(sampler, "probabilities", None)
    if probabilities is not None:
        total = float(np.sum(probabilities))
        assert abs(total - 1) < 1e-12, f"probabilities sum to {total}, not to 1"
        assert (probabilities >= 0).all(), f"probabilities hold negative ones: {probabilities}"


def _number(genes: Genes) -> NDArray[np.float64]:
    """Return a positive number a network, a fixed function of its genes."""
    return np.asarray(1.0 + np.sin(genes @ np.arange(1.0, genes.shape[1] + 1)) ** 2, dtype=np.float64)


def _copied(sampler: Sampler) -> dict[str, NDArray[Any]]:
    return {key: np.array(value) for key, value in sampler.state().items()}


def _same(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)
