from __future__ import annotations

import torch
from torch import Tensor

from search_spaces.block import module_of
from search_spaces.blocks.time_layer_norm import TimeLayerNorm
from search_spaces.building import initialise, parameter_owners
from search_spaces.conv import Size
from search_spaces.testing_blocks import check_block, fill, place


def map_and_time(width: int, size: Size, generator: torch.Generator) -> tuple[Tensor, ...]:
    return torch.randn(2, width, *size, generator=generator), torch.rand(2, 1, generator=generator)


def test_the_block_is_nested_and_counted() -> None:
    small, large = (place("time_layer_norm", width, width, (3, 5)) for width in (8, 12))
    check_block(small, large, map_and_time)


def test_it_has_two_vectors_and_a_gate_for_scale_and_for_shift() -> None:
    """Adaptive LayerNorm from a time embedding of d numbers has 2 C (d + 1)."""
    block = TimeLayerNorm(16, 16, (2, 2))
    assert sum(parameter.numel() for parameter in block.parameters()) == 2 * (2 * 16 + 2)


def test_it_starts_as_a_plain_layer_norm_at_every_time() -> None:
    block = TimeLayerNorm(8, 8, (2, 2))
    owners = dict(parameter_owners(block))
    for name, tensor in block.named_parameters():
        initialise(owners[name], name, tensor, 0)
    x, time = map_and_time(8, (2, 2), torch.Generator().manual_seed(0))
    expected = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), (8,), eps=1e-6).permute(0, 3, 1, 2)
    torch.testing.assert_close(block((x, time))[0], expected)


def test_far_times_give_one_vector_or_the_other() -> None:
    block = module_of(place("time_layer_norm", 8, 8, (2, 2)))
    assert isinstance(block, TimeLayerNorm)
    fill(block, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for gated in (block.norm.scale, block.norm.shift):
            gated.slope.fill_(1.0)
            late, early = gated(torch.tensor([-99.0, 99.0]))
            torch.testing.assert_close(late, gated.late)
            torch.testing.assert_close(early, gated.early)
