"""What holds for each of the large-kernel and hybrid families: exact counts, and they learn digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space

FORMS = [
    ("convnext", "small_image"),
    ("unireplknet", "small_image"),
    ("hornet", "small_image"),
    ("hornet", "small_image_gf"),
    ("lsnet", "small_image"),
    ("smt", "small_image"),
]


def test_random_networks_of_global_filters_cost_what_fvcore_counts() -> None:
    found = space("hornet", form="small_image_gf", in_channels=2, num_classes=3)
    for blueprint in map(found.blueprint, found.decode(found.sample(np.random.default_rng(0), 6))):
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_fifty_steps_make_the_loss_fall(name: str, form: str) -> None:
    found = space(name, form=form, in_channels=1, num_classes=10)
    shared = SharedWeights(found)
    digits = load_digits()
    images = torch.from_numpy(digits.images).float()[:, None] / 8 - 1
    labels = torch.from_numpy(digits.target)
    optimiser = torch.optim.AdamW(shared.tensors.values(), lr=3e-3)
    rng, losses = np.random.default_rng(0), []
    for blueprint in map(found.blueprint, found.decode(found.sample(rng, 50))):
        chosen = torch.from_numpy(rng.integers(0, len(labels), 32))
        x = torch.nn.functional.interpolate(images[chosen], blueprint.resolution, mode="bilinear")
        loss = torch.nn.functional.cross_entropy(shared.run(blueprint, x), labels[chosen])
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10]), losses
