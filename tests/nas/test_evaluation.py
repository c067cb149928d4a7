from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import nas.evaluation as evaluation
from nas.data.splits import DataSplits, ImageSet
from nas.evaluation import Batches, Evaluator, module_rows
from nas.finetune import recalibrate
from nas.quantisation.simulate import simulated
from nas.tasks.classification import Classification
from search_spaces.precision import policy_of, with_policy
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space

CONVOLUTIONS = space("ofa_mobilenet", form="small_image", resolutions=(8, 12), in_channels=2, num_classes=4)
FORM = {"form": "small_image", "resolution": 8, "widths": (16, 24), "depths": (1, 2), "heads": (1, 2)}
TRANSFORMERS = space("autoformer", **FORM, in_channels=2, num_classes=4)


def images(num: int, seed: int) -> ImageSet:
    generator = torch.Generator().manual_seed(seed)
    shape = (num, 2, 8, 8)
    return ImageSet(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator), torch.arange(num) % 4)


@pytest.fixture
def data() -> DataSplits:
    training, calibration, validation, test = (images(num, seed) for seed, num in enumerate((8, 70, 50, 40)))
    return DataSplits(training, calibration, validation, test, tuple("abcd"), (0.4, 0.5), (0.3, 0.25))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(evaluation, "BATCH_SIZE", 32)


@pytest.fixture(params=[CONVOLUTIONS, TRANSFORMERS], ids=lambda made: made.name)
def shared(request) -> SharedWeights:
    return SharedWeights(request.param, seed=3)


def average(shared: SharedWeights) -> dict[str, torch.Tensor]:
    """Tensors that are not the shared ones, as the moving average is."""
    generator = torch.Generator().manual_seed(0)
    return {name: t.detach() + 0.05 * torch.randn(t.shape, generator=generator) for name, t in shared.tensors.items()}


def blueprints(shared: SharedWeights, num: int = 6):
    return map(shared.space.blueprint, shared.space.decode(shared.space.sample(np.random.default_rng(1), num)))


def test_recalibration_is_that_of_batchnorm_with_cumulative_average(data) -> None:
    shared = SharedWeights(CONVOLUTIONS, seed=3)
    tensors = average(shared)
    for blueprint in blueprints(shared):
        found = Evaluator(shared, tensors, data, data.validation).statistics(blueprint)
        alone = shared.extract(blueprint, tensors)
        for module in alone.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
                module.train()
        with torch.no_grad():
            for batch in Batches(data.calibration, data).at(blueprint.resolution):
                alone(batch)
        state = alone.state_dict()
        assert found
        assert all(torch.equal(state[name], value) for name, value in found.items())
        assert {int(v) for name, v in found.items() if name.endswith("num_batches_tracked")} == {3}


def test_statistics_of_finetuning_are_the_same(data, monkeypatch) -> None:
    monkeypatch.setattr("nas.finetune.CALIBRATION_BATCH", 32)
    shared = SharedWeights(CONVOLUTIONS, seed=3)
    blueprint = next(blueprints(shared))
    found = Evaluator(shared, shared.tensors, data, data.validation).statistics(blueprint)
    alone = shared.extract(blueprint)
    recalibrate(alone, blueprint.resolution, data)
    state = alone.state_dict()
    assert all(torch.equal(state[name], value) for name, value in found.items())


def test_networks_without_batchnorm_need_no_statistics(data) -> None:
    shared = SharedWeights(TRANSFORMERS)
    assert Evaluator(shared, shared.tensors, data, data.validation).statistics(next(blueprints(shared))) == {}


def test_inside_the_shared_weights_and_extracted_classify_alike(data, shared) -> None:
    tensors = average(shared)
    evaluator = Evaluator(shared, tensors, data, data.test)
    for blueprint in blueprints(shared):
        statistics = evaluator.statistics(blueprint)
        alone = shared.extract(blueprint, tensors, statistics)
        inside = evaluator.rows(blueprint, statistics)
        assert torch.equal(inside, module_rows(alone, Batches(data.test, data), blueprint.resolution, data.task))
        assert inside.shape == (40,)
        assert evaluator.score(blueprint) == data.task.value(inside)


def test_an_evaluation_repeated_in_any_order_is_equal(data, shared) -> None:
    tensors = average(shared)
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    evaluator = Evaluator(shared, tensors, data, data.validation)
    several = list(blueprints(shared))
    first = [evaluator.rows(blueprint) for blueprint in several]
    again = [evaluator.rows(blueprint) for blueprint in reversed(several)]
    fresh = Evaluator(SharedWeights(shared.space, seed=9), tensors, data, data.validation)
    for blueprint, one, two in zip(several, first, reversed(again), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(fresh.rows(blueprint), one), "the tensors that are given count, not the shared ones"
    assert all(torch.equal(before[name], tensor) for name, tensor in tensors.items())
    assert len({tuple(found.tolist()) for found in first}) > 1


def test_it_follows_tensors_that_move(data) -> None:
    shared = SharedWeights(TRANSFORMERS, seed=3)
    tensors = average(shared)
    evaluator = Evaluator(shared, tensors, data, data.validation)
    blueprint = shared.space.blueprint(shared.space.largest())
    assert 0 < evaluator.score(blueprint) < 100
    tensors["head.token_head.classifier.weight"].zero_()
    tensors["head.token_head.classifier.bias"].copy_(torch.tensor([0.0, 0.0, 9.0, 0.0]))
    assert evaluator.score(blueprint) == pytest.approx(100 * 12 / 50)


class TestBatches:
    def test_sizes_differ_by_one_at_most_and_order_is_kept(self, data) -> None:
        batches = Batches(data.calibration, data).at((8, 8))
        assert [len(batch) for batch in batches] == [24, 23, 23]
        expected = (data.calibration.images.float() / 255 - torch.tensor([0.4, 0.5]).view(1, 2, 1, 1)) / torch.tensor(
            [0.3, 0.25]
        ).view(1, 2, 1, 1)
        assert torch.allclose(torch.cat(batches), expected, atol=1e-6)
        assert batches[0].is_contiguous(memory_format=torch.channels_last)

    def test_one_image_more_than_a_batch_makes_no_batch_of_one(self, data) -> None:
        assert [len(batch) for batch in Batches(images(33, 0), data).at((8, 8))] == [17, 16]

    def test_they_are_kept_while_they_are_few(self, data, monkeypatch) -> None:
        monkeypatch.setattr(evaluation, "CACHE_BYTES", 4 * 70 * 2 * (8 * 8 + 6 * 6))
        batches = Batches(data.calibration, data)
        first = {side: batches.at((side, side)) for side in (8, 12, 6)}
        again = {side: batches.at((side, side)) for side in (8, 12, 6)}
        assert {side: again[side] is first[side] for side in first} == {8: True, 12: False, 6: True}
        assert torch.equal(torch.cat(again[12]), torch.cat(first[12]))


def test_percent() -> None:
    assert Classification().value(torch.tensor([True, False, True, True])) == 75.0


def test_a_quantised_network_is_evaluated_as_it_is_simulated(shared, data) -> None:
    blueprint = shared.space.blueprint(shared.space.largest())
    policy = dict.fromkeys(policy_of(blueprint), "int8")
    quantised = with_policy(blueprint, policy)
    evaluator = Evaluator(shared, average(shared), data, data.validation)
    plain = shared.extract(blueprint, average(shared), evaluator.statistics(blueprint))
    network = simulated(plain, quantised, Batches(data.calibration, data).at(blueprint.resolution))
    expected = module_rows(network, Batches(data.validation, data), blueprint.resolution, data.task)
    assert torch.equal(evaluator.rows(quantised), expected)
    assert evaluator.score(quantised) == data.task.value(expected)
