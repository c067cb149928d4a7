from __future__ import annotations

import math

import numpy as np
import torch

from search_spaces.building import initialise
from search_spaces.feed_forwards.random_features import RandomFeatures
from search_spaces.layers import total

WIDTH = 16


def arc_cosine(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """E relu(g . x) relu(g . w) of a standard normal g (Cho and Saul 2009, order 1)."""
    norms = x.norm(dim=-1)[:, None] * w.norm(dim=-1)[None]
    angle = ((x @ w.T) / norms).clamp(-1, 1).acos()
    return norms / (2 * math.pi) * (angle.sin() + (math.pi - angle) * angle.cos())


def estimate(x: torch.Tensor, w: torch.Tensor, features: int, seed: int) -> torch.Tensor:
    """What the part gives with the weights phi(w) / sqrt(m), phi(w) = relu(G w) / sqrt(m)."""
    module = RandomFeatures(WIDTH, features).double()
    with torch.no_grad():
        initialise(module.project, "weight", module.project.weight, seed)
        module.weigh = torch.nn.Linear(features, len(w)).double()
        module.weigh.weight.copy_(module.project(w).relu() / features)
        module.weigh.bias.zero_()
        out: torch.Tensor = module(x)
    return out


def test_the_estimate_is_unbiased_and_its_error_falls_with_the_root_of_the_features() -> None:
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randn(8, WIDTH, dtype=torch.float64, generator=generator) for _ in range(2))
    exact, sizes, errors = arc_cosine(x, w), (64, 256, 1024, 4096), []
    for features in sizes:
        deviations = torch.stack([estimate(x, w, features, seed) - exact for seed in range(40)])
        errors.append(float(deviations.square().mean().sqrt()))
        bias = deviations.mean(0)
        spread = deviations.std(0) / math.sqrt(40)
        assert (bias.abs() / spread).mean() < 1.5
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert -0.58 < slope < -0.42, (slope, errors)


def test_trained_weights_take_the_place_of_two_matrices() -> None:
    module = RandomFeatures(WIDTH, 32)
    trained = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    assert trained == 32 * WIDTH + WIDTH
    assert total(RandomFeatures.layers(WIDTH, 32, (2, 2), 0)).params == trained + 32 * WIDTH
    assert not module.project.weight.requires_grad
