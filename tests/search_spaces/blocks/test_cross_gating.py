from __future__ import annotations

import torch
from torch import Tensor

from search_spaces.block import module_of
from search_spaces.blocks.cross_gating import CrossGating, GatedMlp, MultiAxisMlp
from search_spaces.conv import Size
from search_spaces.layers import total
from search_spaces.testing_blocks import check_block, fill, place


def two_maps(width: int, size: Size, generator: torch.Generator) -> tuple[Tensor, ...]:
    return tuple(torch.randn(2, width, *size, generator=generator) for _ in range(2))


def test_the_block_is_nested_and_counted() -> None:
    small, large = (place("cross_gating", width, width, (4, 8), window=2) for width in (8, 16))
    check_block(small, large, two_maps)


def changed_cells(far: bool) -> Tensor:
    """Which cells of an 8x8 map change when the cell (1, 1) does, behind a gate of side 4."""
    module = GatedMlp(8, (8, 8), 4, far).eval()
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    moved = x.clone()
    moved[:, 1, 1, 0] += 1
    with torch.no_grad():
        return (module(moved) - module(x)).abs().sum(-1)[0] > 0


def test_the_local_branch_has_no_influence_beyond_its_block() -> None:
    changed = changed_cells(far=False)
    assert changed[:4, :4].all()
    assert not changed[4:].any()
    assert not changed[:, 4:].any()


def test_the_global_branch_reaches_every_second_cell() -> None:
    changed = changed_cells(far=True)
    assert changed[1::2, 1::2].all()
    assert not changed[0::2].any()


def test_the_cost_is_linear_in_the_cells() -> None:
    small, large = (total(MultiAxisMlp.layers(16, size, 4, 0)) for size in ((8, 8), (16, 32)))
    assert large.macs == 8 * small.macs
    assert large.params == small.params


def test_a_gate_of_zeros_passes_u() -> None:
    module = GatedMlp(8, (4, 4), 2, far=False)
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(1, 4, 4, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in module.gate.parameters():
            parameter.zero_()
        u, _ = torch.nn.functional.gelu(module.expand(module.norm(x))).chunk(2, -1)
        torch.testing.assert_close(module(x), x + module.reduce(u))


def test_each_map_is_gated_by_the_other() -> None:
    block = module_of(place("cross_gating", 8, 8, (4, 4), window=2)).eval()
    assert isinstance(block, CrossGating)
    fill(block, torch.Generator().manual_seed(0))
    x, y = two_maps(8, (4, 4), torch.Generator().manual_seed(1))
    with torch.no_grad():
        _, before = block((x, y))
        _, after = block((x + 1, y))
        for parameter in block.x.gate.reduce.parameters():
            parameter.zero_()
        _, alone = block((x, y))
    assert not torch.allclose(before, after)
    bias = block.y.leave.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(alone, y + bias)
