from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from toy_training import convolutions, transformers

from nas.training.optimiser import learning_rate, make_optimiser, update_average
from nas.training.settings import FinetuneSettings, TrainingSettings
from search_spaces.sharing import SharedWeights


def parameters(*shapes: tuple[int, ...]) -> dict[str, nn.Parameter]:
    return {f"layer{number}.weight": nn.Parameter(torch.ones(shape)) for number, shape in enumerate(shapes)}


class TestLearningRate:
    def test_rises_linearly_and_falls_as_a_cosine(self) -> None:
        settings = TrainingSettings(learning_rate=0.8, warmup_fraction=0.2)
        rates = [learning_rate(step, 20, settings) for step in range(20)]
        assert rates[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
        assert rates[4] == 0.8
        assert rates[12] == pytest.approx(0.4)
        assert rates[19] == pytest.approx(0.4 * (1 + math.cos(math.pi * 15 / 16)))

    @given(st.integers(1, 500), st.floats(0, 0.99), st.floats(1e-6, 10))
    def test_stays_between_zero_and_its_peak_and_ends_low(self, num_steps, warmup, peak) -> None:
        settings = FinetuneSettings(learning_rate=peak, warmup_fraction=warmup)
        rates = [learning_rate(step, num_steps, settings) for step in range(num_steps)]
        assert all(0 < rate <= peak for rate in rates)
        assert max(rates) == pytest.approx(peak)
        top = rates.index(max(rates))
        assert rates[:top] == sorted(rates[:top])
        assert rates[top:] == sorted(rates[top:], reverse=True)


class TestAverage:
    def test_each_tensor_moves_by_one_minus_the_decay(self) -> None:
        average, tensors = [torch.tensor([0.0, 10.0])], [torch.tensor([1.0, 20.0])]
        update_average(average, tensors, step=10**6, decay=0.9)
        assert torch.allclose(average[0], torch.tensor([0.1, 11.0]))

    def test_decay_rises_to_its_value(self) -> None:
        """Step 0 keeps a tenth; the k-th keeps (1 + k) / (10 + k), until that is more than the decay."""
        average = [torch.tensor(0.0)]
        expected = 0.0
        for step in range(200):
            kept = min(0.9, (1 + step) / (10 + step))
            value = float(step % 7)
            expected = kept * expected + (1 - kept) * value
            update_average(average, [torch.tensor(value)], step, 0.9)
            assert float(average[0]) == pytest.approx(expected, rel=1e-4, abs=1e-6)

    def test_no_decay_follows_at_once(self) -> None:
        average = [torch.tensor(5.0)]
        update_average(average, [torch.tensor(2.0)], 3, 0.0)
        assert float(average[0]) == 2.0


class TestMakeOptimiser:
    @pytest.mark.parametrize("make", [convolutions, transformers])
    @pytest.mark.parametrize("kind", ["adamw", "sgd"])
    def test_only_weights_of_two_or_more_axes_decay(self, make, kind) -> None:
        tensors = SharedWeights(make()).tensors
        optimiser = make_optimiser(tensors, TrainingSettings(optimiser=kind, weight_decay=0.3))
        decays = {id(t): group["weight_decay"] for group in optimiser.param_groups for t in group["params"]}
        assert len(decays) == len(tensors)
        for name, tensor in tensors.items():
            plain = name.endswith(".weight") and tensor.ndim > 1
            assert decays[id(tensor)] == (0.3 if plain else 0.0), name
        tables = [name for name in tensors if name.endswith(("class_token", "positions", "vertical", "horizontal"))]
        assert all(decays[id(tensors[name])] == 0.0 for name in tables)
        assert bool(tables) == (make is transformers)

    def test_adamw_decays_by_rate_times_decay(self) -> None:
        tensors = parameters((2, 2), (3,))
        optimiser = make_optimiser(tensors, TrainingSettings(learning_rate=0.5, weight_decay=0.1))
        for tensor in tensors.values():
            tensor.grad = torch.zeros_like(tensor)
        optimiser.step()
        assert torch.allclose(tensors["layer0.weight"], torch.full((2, 2), 0.95))
        assert torch.equal(tensors["layer1.weight"], torch.ones(3))

    def test_sgd_has_nesterov_momentum(self) -> None:
        tensors = parameters((1, 1))
        optimiser = make_optimiser(tensors, TrainingSettings(optimiser="sgd", learning_rate=0.1, weight_decay=0))
        for expected in (1 - 0.1 * 1.9, 1 - 0.1 * 1.9 - 0.1 * (1 + 0.9 * 1.9)):
            tensors["layer0.weight"].grad = torch.ones(1, 1)
            optimiser.step()
            assert tensors["layer0.weight"].item() == pytest.approx(expected)

    def test_a_tensor_without_gradient_rests(self) -> None:
        tensors = parameters((2, 2), (2, 2))
        tensors["layer0.weight"].grad = torch.ones(2, 2)
        optimiser = make_optimiser(tensors, TrainingSettings(weight_decay=0.5))
        optimiser.step()
        assert torch.equal(tensors["layer1.weight"], torch.ones(2, 2))
        assert not torch.equal(tensors["layer0.weight"], torch.ones(2, 2))
