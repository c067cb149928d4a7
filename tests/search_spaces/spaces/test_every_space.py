"""The contract of every registered space, at its small-image form: what the rest of the software relies on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from search_spaces.block import cost
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space, spaces
from search_spaces.testing import (
    check_costs,
    check_covering,
    check_encoding,
    check_gradients,
    check_operators,
    check_outputs,
    check_size,
    example,
    shaken,
)

NAMES = spaces.names()
ROWS = 100

every_space = pytest.mark.parametrize("name", NAMES)


@lru_cache(maxsize=1)
def small(name: str) -> SearchSpace:
    return space(name, form="small_image", in_channels=1, num_classes=10)


@lru_cache(maxsize=1)
def weights(name: str) -> SharedWeights:
    return shaken(SharedWeights(small(name)), 0)


@every_space
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_populations_stay_legal(name: str, seed: int) -> None:
    """Five examples of 100 rows each: 500 networks a space."""
    check_encoding(small(name), ROWS, seed)
    check_operators(small(name), ROWS, seed)


@every_space
def test_sizes_and_tables_are_exact(name: str) -> None:
    check_size(small(name))
    check_costs(small(name), 50)


def assert_fvcore_counts_the_same(found: SearchSpace, num: int) -> None:
    for architecture in found.decode(found.sample(np.random.default_rng(0), num)):
        blueprint = found.blueprint(architecture)
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint), architecture


@every_space
def test_members_cost_what_fvcore_counts(name: str) -> None:
    assert_fvcore_counts_the_same(small(name), 4)


@pytest.mark.slow
@every_space
def test_fifty_members_cost_what_fvcore_counts(name: str) -> None:
    assert_fvcore_counts_the_same(small(name), 50)


@every_space
def test_members_inside_and_alone_are_equal(name: str) -> None:
    check_covering(weights(name), 100)
    check_outputs(weights(name), 20)


@every_space
def test_gradients_are_zero_outside(name: str) -> None:
    check_gradients(weights(name), 2)


@every_space
def test_every_resolution(name: str) -> None:
    found, shared = small(name), weights(name)
    values = dict(found.largest().choices)
    for resolution in found.knobs[found.column["resolution"]].values:
        blueprint = found.blueprint(found.architecture({**values, "resolution": resolution}))
        assert blueprint.resolution == (resolution, resolution)
        with torch.no_grad():
            logits = shared.run(blueprint, example(blueprint, 2, 0))
        assert logits.shape == (2, 10)
        assert bool(logits.isfinite().all())


@every_space
def test_constants_are_made_on_the_device_of_the_data(name: str) -> None:
    """On the meta device nothing else can meet: a constant of another device is an error."""
    found, shared = small(name), weights(name)
    for architecture in (found.smallest(), found.largest()):
        blueprint = found.blueprint(architecture)
        meta = {key: tensor.to("meta") for key, tensor in shared.tensors.items()}
        logits = shared.run(blueprint, torch.empty(2, 1, *blueprint.resolution, device="meta"), tensors=meta)
        assert logits.device.type == "meta"


@every_space
def test_fifty_steps_on_digits(name: str) -> None:
    found, digits = small(name), load_digits()
    shared = SharedWeights(found)
    images, labels = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1, torch.tensor(digits.target)
    optimizer = torch.optim.AdamW(shared.tensors.values(), lr=2e-3)
    rng, losses = np.random.default_rng(0), []
    for architecture in found.decode(found.sample(rng, 50)):
        rows, blueprint = rng.integers(0, len(images), 16), found.blueprint(architecture)
        x = torch.nn.functional.interpolate(images[rows], blueprint.resolution)
        loss = torch.nn.functional.cross_entropy(shared.run(blueprint, x), labels[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
