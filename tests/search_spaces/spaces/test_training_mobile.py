"""Spaces of inverted bottlenecks, and Once-for-All ResNet, train: 50 steps on digits, a random network at each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space

FAMILIES = (
    "mobilenetv2",
    "mobilenetv3",
    "efficientnet",
    "efficientnetv2",
    "ofa_proxyless",
    "alphanet",
    "ofa_resnet",
    "ofa_mobilenet",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_falls_on_digits(family: str) -> None:
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 8 - 1
    y = torch.tensor(labels)
    found = space(family, form="small_image", resolutions=(8,), in_channels=1, num_classes=10)
    shared = SharedWeights(found)
    optimiser = torch.optim.AdamW(shared.tensors.values(), lr=5e-3)
    rng = np.random.default_rng(0)
    losses = []
    for blueprint in map(found.blueprint, found.decode(found.sample(rng, 50))):
        batch = torch.from_numpy(rng.integers(0, len(y), 32))
        loss = torch.nn.functional.cross_entropy(shared.run(blueprint, x[batch]), y[batch])
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
