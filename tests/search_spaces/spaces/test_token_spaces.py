"""What every space of transformers shows: legal populations, exact costs, constants on the data's device, training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space
from search_spaces.testing import check_costs

SPACES = ["autoformer", "vit", "vit_resnas", "swin", "crossformer", "crossvit"]
PUBLISHED_FORMS = [
    ("autoformer", "tiny"),
    ("vit", "tiny"),
    ("vit_resnas", "tiny"),
    ("swin", "tiny"),
    ("crossformer", "tiny"),
    ("crossvit", "15"),
]


def small(name: str) -> SearchSpace:
    return space(name, form="small_image", in_channels=1, num_classes=10)


@pytest.mark.parametrize(("name", "form"), PUBLISHED_FORMS)
def test_tables_of_the_published_forms(name: str, form: str) -> None:
    check_costs(space(name, form=form), 10)


@pytest.mark.parametrize("name", SPACES)
def test_fifty_steps_on_digits(name: str) -> None:
    found = small(name)
    shared, digits = SharedWeights(found), load_digits()
    images, labels = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1, torch.tensor(digits.target)
    optimizer = torch.optim.AdamW(shared.tensors.values(), lr=2e-3)
    rng, losses = np.random.default_rng(0), []
    for _ in range(50):
        rows = rng.integers(0, len(images), 32)
        blueprint = found.blueprint(found.decode(found.sample(rng, 1))[0])
        x = torch.nn.functional.interpolate(images[rows], blueprint.resolution)
        loss = torch.nn.functional.cross_entropy(shared.run(blueprint, x), labels[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
