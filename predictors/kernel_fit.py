"""How the kernel model is evaluated (NumPy) and fitted (torch): one formula, written for both array libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from predictors.kernel_terms import Terms

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float64]
# Priors: log of a tile's start in steps of the sum, log of its edge's cost, log of steepness above 2.
SHARED_PRIOR = (2.5, 2.0, 0.2)
# Priors: log slowdown of arithmetic and of memory, log seconds of a launch, log slowdown a doubling of long sums.
CARD_PRIOR = (0.1, 0.2, -10.2, 0.05)
SHARED_RIDGE, CARD_RIDGE = 0.002, 0.003
HUBER = 0.1
# No launch is longer than this quantile of a card's kernels.
SHORTEST = 0.01
ROWS_A_CARD = 3000
STEPS, LEARNING_RATE = 250, 0.05
NETWORK_STEPS, BATCH, WIDTH, NETWORK_BOUND = 2500, 512, 48, 1.0
NETWORK_RATE, NETWORK_DECAY = 5e-3, 1e-2


def evaluate(tensors: Mapping[str, Array], terms: Terms, scalars: Array) -> Array:
    """Return log seconds, (n,), of kernels on a card with four ``scalars``."""
    shared = tensors["shared"]
    found = _formula(np, {name: getattr(terms, name) for name in ARRAYS}, shared, scalars, _residual(tensors, terms))
    return np.asarray(found, dtype=np.float64)


def fit_group(terms: Sequence[Terms], seconds: Sequence[Array], seed: int) -> dict[str, torch.Tensor]:
    """Return ``shared`` (3,), ``cards`` (cards, 4) and the residual network's tensors, fitted to log seconds.

    The loss is Huber's, each card counting alike. Where the terms have features, a small network of them is trained on
    what the formula leaves within each card, so that it learns of shapes and not which card it sees.
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
    found = _fit_formula(data, target, card, weight, least)
    if terms[0].features.shape[1]:
        features = np.concatenate([t.features[i] for t, i in zip(terms, picked, strict=True)])
        with torch.no_grad():
            left = target - _formula(torch, data, found["shared"], found["cards"][card].T, 0.0)
        found |= _fit_network(torch.from_numpy(features), left, card, weight, seed)
    return found


def state_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    """Return the tensors as float64 arrays."""
    return {name: value.detach().double().numpy() for name, value in tensors.items()}


ARRAYS = ("compute_s", "memory_s", "depth", "inverse_tile", "stride")


def _formula(library: Any, arrays: Mapping[str, Any], shared: Any, scalars: Any, residual: Any) -> Any:
    """Return log seconds by the module's formula; ``scalars`` are four numbers or four columns."""
    log, exp = library.log, library.exp
    start, edge, steepness = exp(shared[0]), exp(shared[1]), 2 + exp(shared[2])
    compute = (
        log(arrays["compute_s"] * (1 + start / arrays["depth"]) * (1 + edge * arrays["inverse_tile"])) + scalars[0]
    )
    memory = log(arrays["memory_s"]) + scalars[1]
    work = library.logaddexp(steepness * compute, steepness * memory) / steepness + scalars[3] * arrays["stride"]
    return library.logaddexp(work + residual, scalars[2] + 0 * work)


def _fit_formula(data: Mapping[str, Any], target: Any, card: Any, weight: Any, least: Any) -> dict[str, Any]:
    import torch

    prior = torch.tensor(SHARED_PRIOR, dtype=torch.float64)
    shared = prior.clone().requires_grad_()
    mean = torch.tensor(CARD_PRIOR, dtype=torch.float64, requires_grad=True)
    own = torch.zeros(len(least), 4, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([shared, mean, own], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        predicted = _formula(torch, data, shared, _held(mean + own, least)[card].T, 0.0)
        error = torch.nn.functional.huber_loss(predicted, target, delta=HUBER, reduction="none") / HUBER
        penalty = CARD_RIDGE * (own**2).sum() + SHARED_RIDGE * ((shared - prior) ** 2).sum()
        optimiser.zero_grad()
        torch.autograd.backward((weight * error).sum() + penalty)
        optimiser.step()
        schedule.step()
    return {"shared": shared.detach(), "cards": _held(mean + own, least).detach()}


def _held(cards: Any, least: Any) -> Any:
    """Return the cards' numbers with launches no longer than the cards' shortest kernels."""
    import torch

    return torch.cat([cards[:, :2], torch.minimum(cards[:, 2], least)[:, None], cards[:, 3:]], dim=1)


def _fit_network(features: Any, left: Any, card: Any, weight: Any, seed: int) -> dict[str, Any]:
    """Return the residual network's tensors; each card's own median is taken off what it learns."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    for index in range(int(card.max()) + 1):
        left = torch.where(card == index, left - left[card == index].median(), left)
    centre, scale = features.mean(0), features.std(0) + 1e-6
    x, y, w = _clipped(features, centre, scale).float(), left.float(), (weight / weight.mean()).float()
    net = nn.Sequential(
        nn.Linear(x.shape[1], WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 1)
    )
    optimiser = torch.optim.AdamW(net.parameters(), NETWORK_RATE, weight_decay=NETWORK_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, NETWORK_RATE, total_steps=NETWORK_STEPS)
    for _ in range(NETWORK_STEPS):
        rows = torch.randint(len(x), (BATCH,))
        predicted = NETWORK_BOUND * torch.tanh(net(x[rows])[:, 0] / NETWORK_BOUND)
        error = nn.functional.huber_loss(predicted, y[rows], delta=HUBER, reduction="none")
        optimiser.zero_grad()
        torch.autograd.backward((w[rows] * error).mean())
        optimiser.step()
        schedule.step()
    return {"centre": centre, "scale": scale, **{name: value.detach() for name, value in net.named_parameters()}}


def _clipped(features: Any, centre: Any, scale: Any) -> Any:
    """Return standardised features, held within the range where the network was trained."""
    return ((features - centre) / scale).clip(-3.0, 3.0)


def _residual(tensors: Mapping[str, Array], terms: Terms) -> Array | float:
    if "centre" not in tensors:
        return 0.0
    x = _clipped(terms.features, tensors["centre"], tensors["scale"])
    for index in (0, 2, 4):
        x = x @ tensors[f"{index}.weight"].T + tensors[f"{index}.bias"]
        if index < 4:
            x = x / (1 + np.exp(-x))
    return np.asarray(NETWORK_BOUND * np.tanh(x[:, 0] / NETWORK_BOUND))
