from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_training import convolutions, transformers

from nas.training.macs import TOLERANCE, MacsGenerator
from search_spaces.block import cost
from search_spaces.spaces import space

SPACES = {
    "small_convolutions": convolutions,
    "small_transformers": transformers,
    "ofa_mobilenet": lambda: space("ofa_mobilenet", num_classes=10),
    "autoformer": lambda: space("autoformer", form="tiny"),
    "fbnet": lambda: space("fbnet"),
}


@pytest.fixture(scope="module", params=SPACES)
def generator(request) -> MacsGenerator:
    return MacsGenerator(SPACES[request.param]())


def test_the_pool_is_sorted_and_reaches_from_the_cheapest_to_the_dearest(generator) -> None:
    made = generator.space
    assert (np.diff(generator.macs) >= 0).all()
    random = generator.count(made.sample(np.random.default_rng(1), 2000))
    ends = generator.count(made.encode([made.smallest(), made.largest()]))
    assert generator.macs[0] <= min(random.min(), *ends)
    assert generator.macs[-1] >= max(random.max(), *ends)


def test_counts_are_those_of_the_blueprints(generator) -> None:
    made = generator.space
    genes = made.sample(np.random.default_rng(2), 5)
    assert generator.count(genes).tolist() == [cost(made.blueprint(each)).macs for each in made.decode(genes)]


def test_every_network_meets_its_request(generator) -> None:
    rng = np.random.default_rng(3)
    asked = generator.nearest(np.exp(rng.uniform(*np.log(generator.macs[[0, -1]]), 500)))
    genes = generator.draw(rng, asked)
    assert np.array_equal(generator.space.canonical(genes), genes)
    assert (np.abs(generator.count(genes) - asked) <= TOLERANCE * asked).all()


def test_a_request_that_no_network_meets_gets_the_nearest() -> None:
    generator = MacsGenerator(transformers())
    asked = np.array([1, 10**12])
    met = generator.count(generator.draw(np.random.default_rng(0), asked))
    assert met.tolist() == [generator.macs[0], generator.macs[-1]]


def test_networks_of_one_request_differ() -> None:
    generator = MacsGenerator(space("ofa_mobilenet", num_classes=10))
    asked = np.full(200, generator.macs[len(generator.macs) // 2])
    genes = generator.draw(np.random.default_rng(0), asked)
    assert len(np.unique(genes, axis=0)) > 190
    assert (genes.max(axis=0) == generator.space.num_choices - 1).all(), "each knob takes its largest value somewhere"
    assert (genes.min(axis=0) <= 2).all(), "and a small one"


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1))
def test_the_nearest_known_cost_is_the_nearest(fraction) -> None:
    macs = GENERATOR.macs
    asked = macs[0] * 0.9 + fraction * (macs[-1] * 1.1 - macs[0] * 0.9)
    found = GENERATOR.nearest(np.array([asked]))[0]
    assert abs(found - asked) == np.abs(macs - asked).min()


GENERATOR = MacsGenerator(transformers())
