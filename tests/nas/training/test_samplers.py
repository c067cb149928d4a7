from __future__ import annotations

import numpy as np
import pytest
from toy_training import convolutions, knobs_only, transformers

from nas.training.samplers import samplers
from nas.training.samplers.sorted import chain
from nas.training.testing import check_sampler
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.layout import holds, layout_of
from search_spaces.spaces import space


@pytest.mark.parametrize("make", [convolutions, transformers, knobs_only])
@pytest.mark.parametrize("name", samplers.names())
def test_contract(name, make) -> None:
    check_sampler(samplers.get(name), make())


def test_an_unknown_sampler_lists_close_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown sampler 'sortd': did you mean 'sorted'.*sandwich, sorted, uniform"):
        samplers.get("sortd")


class TestContractFindsFaults:
    class Good:
        own_batches = True

        def draw(self, space, rng, num):
            return space.sample(rng, num)

    def fault(self, draw, message) -> None:
        kind = type("Faulty", (self.Good,), {"draw": draw})
        with pytest.raises(AssertionError, match=message):
            check_sampler(kind, knobs_only())

    def test_a_good_one_passes(self) -> None:
        check_sampler(self.Good, knobs_only())

    def test_too_few_rows(self) -> None:
        self.fault(lambda self, space, rng, num: space.sample(rng, num - 1), "were asked for")

    def test_rows_that_are_not_canonical(self) -> None:
        self.fault(lambda self, space, rng, num: rng.integers(0, 2, (num, 6), dtype=np.int16), "not canonical")

    def test_global_chance(self) -> None:
        def draw(self, space, rng, num):
            np.random.random()
            return space.sample(rng, num)

        self.fault(draw, "global generator")

    def test_memory(self) -> None:
        def draw(self, space, rng, num):
            self.count = getattr(self, "count", 0) + 1
            return space.sample(np.random.default_rng(self.count), num)

        self.fault(draw, "depends on earlier ones")


def test_sandwich_holds_the_largest_and_the_smallest() -> None:
    made = convolutions()
    for num in (2, 5):
        drawn = made.decode(samplers.get("sandwich")().draw(made, np.random.default_rng(0), num))
        assert [drawn[0], drawn[1]] == [made.largest(), made.smallest()]
        assert len(drawn) == num


def test_sandwich_of_one_network_is_refused() -> None:
    with pytest.raises(UsageError, match="networks_per_step got 1: the sandwich sampler takes 2 or more"):
        samplers.get("sandwich")().draw(convolutions(), np.random.default_rng(0), 1)


@pytest.mark.parametrize(
    "made", [convolutions(), transformers(), space("autoformer", form="tiny"), space("ofa_mobilenet", num_classes=10)]
)
def test_every_network_of_the_chain_lies_inside_the_next(made) -> None:
    genes = chain(made, np.linspace(0, 0.999, 7), np.random.default_rng(0))
    assert made.decode(genes[:1]) == [made.smallest()]
    inner: dict = {}
    for architecture in made.decode(genes):
        outer = {name: layout_of(p) for name, p in build(made.blueprint(architecture), "meta").named_parameters()}
        assert inner.keys() <= outer.keys()
        for name, layout in inner.items():
            assert all(holds(big, small) for big, small in zip(outer[name], layout, strict=True)), name
        inner = outer
    assert architecture == made.largest()


def test_categorical_knobs_of_the_chain_take_every_choice() -> None:
    made = knobs_only()
    genes = chain(made, np.full(200, 0.5), np.random.default_rng(0))
    operators = genes[:, made.column["operator"]]
    assert sorted(set(operators.tolist())) == [0, 1, 2]
    assert (genes[:, made.column["width"]] == 2).all()
    assert ((genes[:, made.column["kernel"]] >= 0) == (operators == 0)).all()


def test_sorted_draws_half_of_its_networks_from_the_chain() -> None:
    made = convolutions()
    genes = samplers.get("sorted")().draw(made, np.random.default_rng(0), 2000)
    fractions = np.linspace(0, 1, 2000, endpoint=False)
    in_chain = {tuple(row) for row in chain(made, fractions, np.random.default_rng(0)).tolist()}
    share = np.mean([tuple(row) in in_chain for row in genes.tolist()])
    assert 0.45 < share < 0.55
