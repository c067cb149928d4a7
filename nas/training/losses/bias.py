"""Bias loss: cross entropy in which images whose features vary little count less (Abrahamyan et al. 2021, 2107.11170).

loss = mean_i z_i CE_i with z_i = exp(alpha v_i) - beta (equations 3 to 5), where v_i is the variance of image i's
features over all their elements, scaled by the batch's least and largest variance to 0..1. No gradient flows through z.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from nas.training.losses import Outputs, losses
from nas.training.losses.cross_entropy import CrossEntropySettings, cross_entropy_per_image
from nas.training.part_settings import read_settings

LEAST_SPREAD = 1e-6
"""Relative to the largest variance; below it the variances are equal but for rounding."""


class BiasSettings(CrossEntropySettings):
    """Settings of the bias loss; alpha = beta = 0 is the cross entropy.

    Attributes:
        alpha: how fast the weight grows with the variance.
        beta: what is taken off every weight, so that images of little variance count less than 1.
    """

    alpha: float = Field(0.3, ge=0)
    beta: float = Field(0.3, ge=0, lt=1)


@losses.register("bias")
class Bias:
    """Cross entropy weighted by the variance of the features."""

    needs: ClassVar[frozenset[str]] = frozenset({"features"})
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("loss 'bias'", BiasSettings, settings)

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar."""
        assert outputs.features is not None
        losses_of = cross_entropy_per_image(outputs.logits, outputs.targets, self._settings.label_smoothing)
        return (variance_weights(outputs.features, self._settings.alpha, self._settings.beta) * losses_of).mean()


def variance_weights(features: Tensor, alpha: float, beta: float) -> Tensor:
    """Return z of each image, (n,), from features (n, ...); 1 where the variances do not differ."""
    variances = features.detach().flatten(1).float().var(dim=1)
    least, largest = variances.aminmax()
    spread = largest - least
    differ = spread > LEAST_SPREAD * largest
    scaled = (variances - least) / torch.where(differ, spread, torch.ones_like(spread))
    return torch.where(differ, torch.exp(alpha * scaled) - beta, torch.ones_like(scaled))
