"""How the kernel model is evaluated (NumPy) and fitted (torch): one formula, written for both array libraries.

Where a library chooses among tiles, the time is nearly that of the fastest: a soft minimum, with an offset for each
tile, since libraries choose by rules of thumb. What power costs grows with how long a kernel computes, c / (c + tau):
a board's control takes about a millisecond, and tau is learnt. On what the formula leaves, randomised trees learn of
shapes (``kernel_trees``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.kernel_terms import Terms
from predictors.kernel_trees import fit_trees

Array = NDArray[np.float64]
# Priors: log of a tile's start in steps of the sum, log of its edge's cost, log of steepness above 2, log of tau in s,
# log of how sharply above 2 the fastest tile is chosen.
SHARED_PRIOR = (2.5, 2.0, 0.2, -7.0, 1.5)
# Priors: log slowdown of arithmetic and of memory, log seconds of a launch, log slowdown a doubling of long sums.
CARD_PRIOR = (0.1, 0.2, -10.2, 0.05)
NUM_CARD, LAUNCH = len(CARD_PRIOR), 2
SHARED_RIDGE, CARD_RIDGE, TILE_RIDGE = 0.002, 0.003, 0.01
HUBER = 0.1
# No launch is longer than this quantile of a card's kernels.
SHORTEST = 0.01
ROWS_A_CARD = 3000
STEPS, LEARNING_RATE = 250, 0.05
# What the trees learn of a kernel is at most a factor of e.
RESIDUAL_BOUND = 1.0
ARRAYS = ("compute_s", "memory_s", "throttle", "depth", "inverse_tile", "stride")


def evaluate(tensors: Mapping[str, Array], terms: Terms, scalars: Array) -> Array:
    """Return the formula's log seconds, (n,), of kernels on a card with 4 + tiles ``scalars``, without the trees."""
    found = _formula(np, {name: getattr(terms, name) for name in ARRAYS}, tensors["shared"], scalars)
    return np.asarray(found, dtype=np.float64)


def fit_group(
    terms: Sequence[Terms], features: Sequence[Array], seconds: Sequence[Array], seed: int
) -> dict[str, Array]:
    """Return ``shared`` (5,), ``cards`` (cards, 4 + tiles) and the tensors of ``kernel_trees``, fitted to log seconds.

    The loss is Huber's, each card counting alike. The trees are fitted to what the formula leaves with each card's own
    numbers, so that they learn of shapes.
    """
    import torch

    rng = np.random.default_rng(seed)
    picked = [rng.permutation(len(each))[:ROWS_A_CARD] for each in seconds]
    data = {
        name: torch.from_numpy(np.concatenate([getattr(t, name)[i] for t, i in zip(terms, picked, strict=True)]))
        for name in ARRAYS
    }
    target = torch.from_numpy(np.log(np.concatenate([s[i] for s, i in zip(seconds, picked, strict=True)])))
    card = torch.from_numpy(np.repeat(np.arange(len(seconds)), [len(i) for i in picked]))
    weight = torch.from_numpy(np.concatenate([np.full(len(i), 1 / (len(i) * len(picked))) for i in picked]))
    least = torch.from_numpy(np.log([np.quantile(each, SHORTEST) for each in seconds]))
    shared, cards = _fit_formula(data, target, card, weight, least)
    left = (target - _formula(torch, data, shared, cards[card].T)).clip(-RESIDUAL_BOUND, RESIDUAL_BOUND)
    rows = np.concatenate([each[i] for each, i in zip(features, picked, strict=True)])
    return {"shared": shared.numpy(), "cards": cards.numpy()} | fit_trees(rows, left.numpy(), weight.numpy(), seed)


def _formula(library: Any, arrays: Mapping[str, Any], shared: Any, scalars: Any) -> Any:
    """Return log seconds by the module's formula; ``scalars`` are 4 + tiles numbers or columns."""
    log, exp = library.log, library.exp
    start, edge, steepness, sharpness = exp(shared[0]), exp(shared[1]), 2 + exp(shared[2]), 2 + exp(shared[4])
    each = log(arrays["compute_s"] * (1 + edge * arrays["inverse_tile"]))
    # A single tile's offset would be the card's share of the arithmetic rate once more.
    offsets = scalars[NUM_CARD:] if each.shape[1] > 1 else [0.0]
    speeds = [-sharpness * (each[:, tile] + offset) for tile, offset in enumerate(offsets)]
    compute = log(1 + start / arrays["depth"]) - reduce(library.logaddexp, speeds) / sharpness + scalars[0]
    compute = compute + arrays["throttle"] * exp(compute - library.logaddexp(compute, shared[3] + 0 * compute))
    memory = log(arrays["memory_s"]) + scalars[1]
    work = library.logaddexp(steepness * compute, steepness * memory) / steepness + scalars[3] * arrays["stride"]
    return library.logaddexp(work, scalars[2] + 0 * work)


def _fit_formula(data: Mapping[str, Any], target: Any, card: Any, weight: Any, least: Any) -> tuple[Any, Any]:
    import torch

    prior = torch.tensor(SHARED_PRIOR, dtype=torch.float64)
    shared = prior.clone().requires_grad_()
    offsets = [0.0] * data["compute_s"].shape[1]
    mean = torch.tensor([*CARD_PRIOR, *offsets], dtype=torch.float64, requires_grad=True)
    own = torch.zeros(len(least), len(mean), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([shared, mean, own], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        predicted = _formula(torch, data, shared, _held(mean + own, least)[card].T)
        error = torch.nn.functional.huber_loss(predicted, target, delta=HUBER, reduction="none") / HUBER
        tiles = (own[:, NUM_CARD:] ** 2).sum() + (mean[NUM_CARD:] ** 2).sum()
        penalty = CARD_RIDGE * (own[:, :NUM_CARD] ** 2).sum() + TILE_RIDGE * tiles
        penalty = penalty + SHARED_RIDGE * ((shared - prior) ** 2).sum()
        optimiser.zero_grad()
        torch.autograd.backward((weight * error).sum() + penalty)
        optimiser.step()
        schedule.step()
    return shared.detach(), _held(mean + own, least).detach()


def _held(cards: Any, least: Any) -> Any:
    """Return the cards' numbers with launches no longer than the cards' shortest kernels."""
    import torch

    return torch.cat([cards[:, :2], torch.minimum(cards[:, 2], least)[:, None], cards[:, 3:]], dim=1)
