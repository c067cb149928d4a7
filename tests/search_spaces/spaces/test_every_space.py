"""The contract of every registered space, at its small-image form: what the rest of the software relies on."""

from __future__ import annotations

from dataclasses import replace
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
LONG_TRACES = frozenset({"nasnet"})
"""A thousand modules a network: seconds a trace. The slow tests take as many members of it as of the others."""
ONE_RESOLUTION = frozenset({"autoformer"})

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
    assert_fvcore_counts_the_same(small(name), 1 if name in LONG_TRACES else 5)


@pytest.mark.slow
@every_space
def test_fifty_members_cost_what_fvcore_counts(name: str) -> None:
    assert_fvcore_counts_the_same(small(name), 50)


@every_space
def test_members_inside_and_alone_are_equal(name: str) -> None:
    check_covering(weights(name), 100)
    check_outputs(weights(name), 5 if name in LONG_TRACES else 20)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LONG_TRACES))
def test_more_members_inside_and_alone_are_equal(name: str) -> None:
    check_outputs(weights(name), 20, 1)


@every_space
def test_gradients_are_zero_outside(name: str) -> None:
    check_gradients(weights(name), 2)


@every_space
def test_every_resolution(name: str) -> None:
    found, shared = small(name), weights(name)
    values = dict(found.largest().choices)
    sides = [knob for knob in found.knobs if knob.name in ("resolution", "height")]
    assert sides or name in ONE_RESOLUTION
    for name_of_side, side in [(knob.name, side) for knob in sides for side in knob.values]:
        blueprint = found.blueprint(found.architecture({**values, name_of_side: side}))
        assert blueprint.resolution[0] == side
        with torch.no_grad():
            logits = shared.run(blueprint, example(blueprint, 2, 0))
        assert logits.shape == (2, 10)
        assert bool(logits.isfinite().all())


@pytest.mark.parametrize("name", sorted(ONE_RESOLUTION))
def test_a_space_of_one_resolution_runs_at_smaller_ones(name: str) -> None:
    """Its tables of positions are resized; larger images than those of the space would need more than it shares."""
    found, shared = small(name), weights(name)
    for size in ((8, 12), (12, 16)):
        blueprint = replace(found.blueprint(found.largest()), resolution=size)
        images = example(blueprint, 2, 0)
        with torch.no_grad():
            inside, alone = shared.run(blueprint, images, "evaluate"), shared.extract(blueprint)(images)
        assert bool(inside.isfinite().all())
        assert torch.equal(inside, alone)


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
def test_fifty_steps_on_digits_make_the_loss_fall(name: str) -> None:
    """Two networks in turn, inside the shared weights; the last ten losses are below the first ten."""
    found, digits = small(name), load_digits()
    shared = SharedWeights(found)
    networks = [found.smallest()] if name in LONG_TRACES else found.decode(found.sample(np.random.default_rng(0), 2))
    images, labels = torch.from_numpy(digits.images).float()[:, None] / 8 - 1, torch.from_numpy(digits.target)
    optimiser = torch.optim.AdamW(shared.tensors.values(), lr=2e-3)
    rng, losses = np.random.default_rng(0), []
    for step in range(50):
        blueprint = found.blueprint(networks[step % len(networks)])
        rows = torch.from_numpy(rng.integers(0, len(labels), 32))
        x = torch.nn.functional.interpolate(images[rows], blueprint.resolution, mode="bilinear")
        loss = torch.nn.functional.cross_entropy(shared.run(blueprint, x), labels[rows])
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.98 * np.mean(losses[:10]), losses
