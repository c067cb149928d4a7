from __future__ import annotations

import numpy as np
import pytest
from toy_training import convolutions, knobs_only, transformers

from nas.training.samplers import MemorylessSampler, samplers
from nas.training.samplers.sorted import chain
from nas.training.testing import a_draw, check_sampler
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.layout import holds, layout_of
from search_spaces.spaces import space

BY_COST = {"attentive", "shiftnas"}


@pytest.mark.parametrize("make", [convolutions, transformers, knobs_only])
@pytest.mark.parametrize("name", samplers.names())
def test_contract(name, make) -> None:
    if name in BY_COST and make is knobs_only:
        pytest.skip("it counts networks, and this space has knobs alone")
    check_sampler(samplers.get(name), make())


def test_an_unknown_sampler_lists_close_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown sampler 'sortd': did you mean 'sorted'.*sandwich, shiftnas, sorted"):
        samplers.get("sortd")


@pytest.mark.parametrize("name", samplers.names())
def test_an_unknown_setting_is_refused(name) -> None:
    with pytest.raises(UsageError, match=f"unknown setting of sampler '{name}' 'warmth'"):
        samplers.get(name)(convolutions(), warmth=1)


class TestContractFindsFaults:
    class Good(MemorylessSampler):
        name = "good"
        batches = "own"

        def draw(self, draw):
            return self.space.sample(draw.rng, draw.num)

    class Learning(Good):
        measure_every = 10

        def __init__(self, space, **settings):
            super().__init__(space, **settings)
            self.seen = np.zeros(1)

        def measure(self, gradient_norms):
            self.seen = self.seen + gradient_norms(self.space.sample(np.random.default_rng(int(self.seen[0])), 1))

        def state(self):
            return {"seen": self.seen.copy()}

        def load(self, state):
            self.seen = np.array(state["seen"])

    def fault(self, message, base=None, **members) -> None:
        kind = type("Faulty", (base or self.Good,), members)
        with pytest.raises(AssertionError, match=message):
            check_sampler(kind, knobs_only())

    def test_good_ones_pass(self) -> None:
        check_sampler(self.Good, knobs_only())
        check_sampler(self.Learning, knobs_only())

    def test_batches_of_no_kind(self) -> None:
        self.fault("batches is 'mine'", batches="mine")

    def test_too_few_rows(self) -> None:
        self.fault("were asked for", draw=lambda self, draw: self.space.sample(draw.rng, draw.num - 1))

    def test_rows_that_are_not_canonical(self) -> None:
        self.fault("not canonical", draw=lambda self, draw: draw.rng.integers(0, 2, (draw.num, 6), dtype=np.int16))

    def test_global_chance(self) -> None:
        def draw(self, draw):
            np.random.random()
            return self.space.sample(draw.rng, draw.num)

        self.fault("global generator", draw=draw)

    def test_hidden_memory(self) -> None:
        def draw(self, draw):
            self.count = getattr(self, "count", 0) + 1
            return self.space.sample(np.random.default_rng(self.count), draw.num)

        self.fault("depends on earlier ones", draw=draw)

    def test_memory_that_is_not_in_the_state(self) -> None:
        def measure(self, gradient_norms):
            self.hidden = getattr(self, "hidden", 0) + 1
            self.seen = self.seen + self.hidden

        self.fault("learned something else", self.Learning, measure=measure)

    def test_a_state_that_never_changes(self) -> None:
        self.fault("left the state as it was", self.Learning, measure=lambda self, norms: None)

    def test_a_state_that_is_not_a_copy(self) -> None:
        def measure(self, gradient_norms):
            self.seen += 1

        self.fault("give copies", self.Learning, measure=measure, state=lambda self: {"seen": self.seen})

    def test_probabilities_that_do_not_sum_to_one(self) -> None:
        self.fault("probabilities sum to 0.9", probabilities=np.array([0.5, 0.4]))


def test_sandwich_holds_the_largest_and_the_smallest() -> None:
    made = convolutions()
    for num in (2, 5):
        drawn = made.decode(samplers.get("sandwich")(made).draw(a_draw(0, num)))
        assert [drawn[0], drawn[1]] == [made.largest(), made.smallest()]
        assert len(drawn) == num


@pytest.mark.parametrize("name", ["sandwich", "attentive"])
def test_a_sandwich_of_one_network_is_refused(name) -> None:
    with pytest.raises(UsageError, match=f"networks_per_step got 1: the {name} sampler takes 2 or more"):
        samplers.get(name)(convolutions()).draw(a_draw(0, 1))


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
    genes = samplers.get("sorted")(made).draw(a_draw(0, 2000))
    fractions = np.linspace(0, 1, 2000, endpoint=False)
    in_chain = {tuple(row) for row in chain(made, fractions, np.random.default_rng(0)).tolist()}
    share = np.mean([tuple(row) in in_chain for row in genes.tolist()])
    assert 0.45 < share < 0.55
