from __future__ import annotations

import torch

from search_spaces.feed_forwards.experts import NUM_EXPERTS, TOP_K, Experts
from search_spaces.feed_forwards.mlp import CellwiseMlp
from search_spaces.layers import total
from search_spaces.testing_blocks import fill


def filled() -> Experts:
    module = Experts(8, 12)
    fill(module, torch.Generator().manual_seed(0))
    return module


def test_the_weights_of_the_chosen_experts_sum_to_1() -> None:
    x = torch.randn(5, 2, 3, 8, generator=torch.Generator().manual_seed(1))
    weights, chosen = filled().routes(x)
    assert chosen.shape == (5, TOP_K)
    assert all(len(set(row)) == TOP_K for row in chosen.tolist())
    torch.testing.assert_close(weights.sum(1), torch.ones(5))


def test_the_macs_are_those_of_the_chosen_experts_alone() -> None:
    """Fixed by top-k: two MLPs and the router, while all experts are stored."""
    one, found = total(CellwiseMlp.layers(8, 12, (4, 3), 0)), total(Experts.layers(8, 12, (4, 3), 0))
    assert found.macs == TOP_K * one.macs + 8 * NUM_EXPERTS
    assert found.params == NUM_EXPERTS * one.params + 9 * NUM_EXPERTS


def test_the_output_is_the_weighted_sum_of_the_chosen_experts() -> None:
    module, x = filled().double(), torch.randn(3, 2, 2, 8, dtype=torch.float64)
    with torch.no_grad():
        weights, chosen = module.routes(x)
        for image in range(3):
            expected = torch.zeros(2, 2, 8, dtype=torch.float64)
            for weight, expert in zip(weights[image], chosen[image], strict=True):
                hidden = torch.nn.functional.gelu(x[image] @ module.expand.weight[expert] + module.expand.bias[expert])
                expected += weight * (hidden @ module.reduce.weight[expert] + module.reduce.bias[expert])
            torch.testing.assert_close(module(x)[image], expected)


def test_an_expert_that_no_image_takes_learns_nothing() -> None:
    module = filled()
    x = torch.randn(1, 2, 2, 8, generator=torch.Generator().manual_seed(1))
    _, chosen = module.routes(x)
    torch.autograd.backward(module(x).square().sum())
    gradient = module.expand.weight.grad
    assert gradient is not None
    learned = {expert for expert in range(NUM_EXPERTS) if gradient[expert].any()}
    assert learned == set(chosen[0].tolist())
