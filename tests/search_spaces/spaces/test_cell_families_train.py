"""Networks of the families of cells and operators learn digits at their small form, inside the shared weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

SMALL: dict[str, dict[str, tuple[int, ...]]] = {
    "nb201": {"resolutions": (8,)},
    "fbnet": {"resolutions": (8,)},
    "osnet": {"heights": (8,)},
    "inception": {"resolutions": (8,)},
    "nasnet": {"resolutions": (8,), "filters": (2, 4)},
}


def small(name: str) -> SearchSpace:
    return space(name, form="small_image", in_channels=1, num_classes=10, **SMALL[name])


@pytest.mark.parametrize("name", SMALL)
def test_the_loss_falls_on_digits(name: str) -> None:
    found = small(name)
    shared = SharedWeights(found)
    optimiser = torch.optim.AdamW(shared.tensors.values(), lr=5e-3)
    rng = np.random.default_rng(0)
    digits = load_digits()
    images, labels = torch.from_numpy(digits.images).float()[:, None] / 16, torch.from_numpy(digits.target)
    networks = found.decode(found.sample(rng, 2))
    losses = []
    for step in range(50):
        batch = torch.from_numpy(rng.integers(0, len(labels), 16))
        logits = shared.run(found.blueprint(networks[step % len(networks)]), images[batch])
        loss = torch.nn.functional.cross_entropy(logits, labels[batch])
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.95 * np.mean(losses[:10])
