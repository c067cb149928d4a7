from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import module_of
from search_spaces.blocks.counting_head import UNIT_CELLS, CountingHead
from search_spaces.testing_blocks import check_layers, fill, place_head, pyramid

SIZE = (3, 2)


def filled(seed: int, out_width: int = 1) -> CountingHead:
    module = module_of(place_head("counting_head", 8, out_width, SIZE, decoder_width=8)).eval()
    assert isinstance(module, CountingHead)
    fill(module, torch.Generator().manual_seed(seed))
    return module


def test_costs_what_fvcore_counts() -> None:
    for out_width in (1, 2):
        check_layers(place_head("counting_head", 8, out_width, SIZE, decoder_width=8), pyramid)


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_gate_weights_of_every_pixel_sum_to_one(seed: int) -> None:
    module = filled(seed)
    gates = module.gates(module.merged_maps(pyramid(8, SIZE, torch.Generator().manual_seed(seed))))
    assert [tuple(gate.shape) for gate in gates] == [(2, 2, 6, 4)]
    for gate in gates:
        torch.testing.assert_close(gate.sum(1), torch.ones_like(gate[:, 0]))
        assert bool((gate >= 0).all())


def test_experts_that_agree_are_not_changed_by_any_gate() -> None:
    """A mixture whose weights sum to 1 gives the constant that all its experts give, at every cell."""
    module = filled(3)
    with torch.no_grad():
        for expert in module.expert.values():
            expert.weight.zero_()  # type: ignore[operator, union-attr]
            expert.bias.fill_(0.7)  # type: ignore[operator, union-attr]
    density = module(pyramid(8, SIZE, torch.Generator().manual_seed(0)))
    expected = torch.nn.functional.softplus(torch.tensor(0.7)) * UNIT_CELLS / 24
    torch.testing.assert_close(density, expected.expand_as(density))
    torch.testing.assert_close(density.sum((1, 2, 3)), (24 * expected).expand(2))


def test_objects_are_never_fewer_than_none() -> None:
    for seed in range(5):
        density = filled(seed, 2)(pyramid(8, SIZE, torch.Generator().manual_seed(seed)))
        assert density.shape == (2, 2, 6, 4)
        assert bool((density >= 0).all())
