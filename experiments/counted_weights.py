"""Shared weights that count what training passes through them: what a comparison at equal compute really was."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.building import Mode
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace


class CountedWeights(SharedWeights):
    """Shared weights with counters; only passes in mode ``train`` count.

    Attributes:
        forward_backward_images: images x networks passed with gradients.
        forward_images: images x networks passed without.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self.forward_backward_images = self.forward_images = 0
        self._macs = 0

    # The overloads of the base stand; this passes everything on.
    def run(self, blueprint: Blueprint, x: Tensor, mode: Mode = "train", **given: Any) -> Any:
        """Return what the base's ``run`` returns, and count it."""
        if mode == "train":
            if torch.is_grad_enabled():
                self.forward_backward_images += len(x)
            else:
                self.forward_images += len(x)
            self._macs += len(x) * cost(blueprint).macs
        return super().run(blueprint, x, mode, **given)

    def counted(self) -> dict[str, Any]:
        """Return the counts, plain data, with the mean MACs (millions) of an image."""
        num = self.forward_backward_images + self.forward_images
        return {
            "forward_backward_images": self.forward_backward_images,
            "forward_images": self.forward_images,
            "mmacs_an_image": self._macs / 1e6 / max(1, num),
        }
