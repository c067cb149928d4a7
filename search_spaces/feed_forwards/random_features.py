"""Scalable neural network kernel: a bundled feed-forward part, W relu(G x), with fixed Gaussian G (SNNK).

A layer f(w . x) is approximated by psi(x) . phi(w), psi(x) = relu(G x) / sqrt(m) with m random features (Sehanobish et
al. 2024, arXiv 2310.13225, equation 4); layers that follow each other bundle into one, so that m x C trained weights
take the place of two matrices. The 1 / sqrt(m) is part of the trained weights, since a network of fewer features is a
leading part of one with more. G is stored with the weights and never trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.feed_forwards import Size, feed_forwards
from search_spaces.layers import Layer
from search_spaces.tokens import linear_layer


class FixedProjection(nn.Module):
    """G x, G of independent standard normal numbers."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, width), requires_grad=False)

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill G."""
        tensor.normal_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the projections (..., features)."""
        return nn.functional.linear(x, self.weight)


@feed_forwards.register("random_features")
class RandomFeatures(nn.Module):
    """(N, H, W, C) -> same shape; ``hidden`` is the number of features m."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.project = FixedProjection(width, hidden)
        self.weigh = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted features."""
        out: Tensor = self.weigh(nn.functional.relu(self.project(x)))
        return out

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; the fixed numbers count as parameters, since they are stored."""
        cells = size[0] * size[1]
        return (
            linear_layer(width, hidden, cells, held, bias=False),
            Layer("activation", 0, 0, hidden * cells, hidden * cells, held=held),
            linear_layer(hidden, width, cells, held),
        )
