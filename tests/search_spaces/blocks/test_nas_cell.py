from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from search_spaces.block import block_layers, module_of, register_block
from search_spaces.blocks.nas_cell import CellBody, FactorizedReduction, joined
from search_spaces.blueprint import PlacedBlock
from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.nas_wiring import CELLS, wiring
from search_spaces.testing_blocks import check_block, check_layers, place


def placed_cells(in_width: int, out_width: int, in_size: Size, cell: str, filters: int) -> list[PlacedBlock]:
    """A stem of stride 1, a reduction, a cell behind it (its p is twice as large), and one more."""
    parts = {stride: len(wiring(cell, stride).outputs) for stride in (1, 2)}
    reduced, width, half = parts[2] * filters, parts[1] * filters, (-(-in_size[0] // 2), -(-in_size[1] // 2))
    shared: dict[str, str | int] = {"cell": cell}
    return [
        place("nas_stem", in_width, filters, in_size, conv_width=filters, stride=1, **shared),
        place("nas_cell", filters, reduced, in_size, prev_width=filters, stride=2, **shared),
        place("nas_cell", reduced, width, half, prev_width=filters, prev_stride=2, **shared),
        place("nas_cell", width, width, half, prev_width=reduced, **shared),
    ]


@register_block("nas_probe")
class NasProbe(nn.Module):
    """Cells one after another, between a map and a map, so that the checks of a block apply to them."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size, *, cell: str, filters: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList(map(module_of, placed_cells(in_width, out_width, in_size, cell, filters)))

    def forward(self, x: Tensor) -> Tensor:
        states = self.cells[0](x)
        for cell in self.cells[1:]:
            states = cell(states)
        last: Tensor = states[1]
        return last

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size, *, cell: str, filters: int) -> tuple[Layer, ...]:
        placed = placed_cells(in_width, out_width, in_size, cell, filters)
        return tuple(layer for each in placed for layer in block_layers(each))


@settings(max_examples=4)
@given(st.sampled_from(sorted(CELLS)), st.sampled_from([(2, 4), (3, 6), (4, 5)]), st.sampled_from([(4, 4), (5, 7)]))
def test_cells_nest_and_are_counted(cell: str, filters: tuple[int, int], size: Size) -> None:
    parts = len(wiring(cell, 1).outputs)
    small, large = (place("nas_probe", 3, parts * each, size, cell=cell, filters=each) for each in filters)
    check_block(small, large)


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("size", [(27, 35), (16, 23)])
def test_stems_of_two_cells_are_counted(cell: str, size: Size) -> None:
    parts = len(wiring(cell, 2).outputs)
    placed = place("nas_stem", 3, 5 * parts, size, cell=cell, conv_width=6, first_width=2 * parts, stride=8)
    check_layers(placed)
    previous, current = module_of(placed)(torch.zeros(1, 3, *size))
    assert previous.shape == (1, 2 * parts, -(-size[0] // 4), -(-size[1] // 4))
    assert current.shape == (1, 5 * parts, -(-size[0] // 8), -(-size[1] // 8))


def test_the_head_reads_the_last_map() -> None:
    head = module_of(place("nas_head", 4, 3, (2, 2)))
    x = torch.rand(2, 4, 2, 2)
    assert torch.equal(head((x + 1, x)), head((x - 1, x)))


def test_joined_parts_stand_side_by_side() -> None:
    parts = [torch.full((1, 2, 1, 1), float(part)) + torch.tensor([0.0, 10.0]).view(1, 2, 1, 1) for part in range(3)]
    assert joined(parts).flatten().tolist() == [0, 1, 2, 10, 11, 12]


def test_the_second_path_of_a_factorized_reduction_sees_the_other_pixels() -> None:
    block = FactorizedReduction(1, 2).eval()
    with torch.no_grad():
        block.plain.weight.fill_(1.0)
        block.shifted.weight.fill_(1.0)
        out = block(torch.arange(16.0).view(1, 1, 4, 4)) * (1 + block.norm.eps) ** 0.5
    torch.testing.assert_close(out[0, 1], torch.tensor([[0.0, 2.0], [8.0, 10.0]]))
    torch.testing.assert_close(out[0, 0], torch.tensor([[5.0, 7.0], [13.0, 15.0]]))


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_width_that_the_parts_do_not_divide_is_cut(cell: str) -> None:
    placed = place("nas_cell", 4, 13, (4, 4), cell=cell, prev_width=6)
    _, out = module_of(placed)((torch.zeros(1, 6, 4, 4), torch.zeros(1, 4, 4, 4)))
    assert out.shape == (1, 13, 4, 4)
    params = sum(parameter.numel() for parameter in module_of(placed).parameters())
    assert sum(layer.params for layer in block_layers(placed)) == params


@pytest.mark.parametrize("skip_input", [False, True])
def test_what_a_cell_hands_on(skip_input: bool) -> None:
    cell = module_of(place("nas_cell", 4, 12, (4, 4), cell="nasnet_a", prev_width=6, skip_input=skip_input))
    previous, current = torch.rand(2, 6, 4, 4), torch.rand(2, 4, 4, 4)
    assert cell((previous, current))[0] is (previous if skip_input else current)


def body(drop_path: float) -> CellBody:
    return CellBody("nasnet_a", 1, 4, 24, drop_path)


def test_paths_are_dropped_by_image_and_what_is_kept_is_scaled() -> None:
    cell, x = body(0.5), torch.rand(64, 4, 3, 3) + 1
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    ratio = (cell._dropped(pool, x) / pool(x)).flatten(1)
    assert set(ratio[:, 0].tolist()) == {0.0, 2.0}
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    assert torch.equal(cell._dropped(nn.Identity(), x), x)


def test_nothing_is_dropped_at_the_start_of_training_or_in_evaluation() -> None:
    x = torch.rand(8, 4, 3, 3)
    for cell, evaluation in ((body(0.5), False), (body(0.5), True)):
        cell.progress = 1.0 if evaluation else 0.0
        cell.train(not evaluation)
        pool = nn.AvgPool2d(3, 1, 1)
        assert torch.equal(cell._dropped(pool, x), pool(x))


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("nas_cell", {"cell": "nasnet_b", "prev_width": 4}, "unknown cell 'nasnet_b': did you mean 'nasnet_a'"),
        ("nas_cell", {"cell": "nasnet_a", "prev_width": 4, "stride": 3}, "nasnet_a cell got stride 3: allowed: 1, 2"),
        ("nas_cell", {"cell": "nasnet_a", "prev_width": 4, "reduces": True}, "a reduction has 2 and is not repeated"),
        ("nas_cell", {"cell": "nasnet_a", "prev_width": 4, "prev_stride": 4}, "got prev_stride 4: allowed: 1, 2"),
        ("nas_cell", {"cell": "nasnet_a", "prev_width": 4, "drop_path": 1.0}, "got 1.0: allowed: 0 to less than 1"),
        ("nas_stem", {"cell": "nasnet_a", "conv_width": 4, "stride": 4}, "nas_stem block got stride 4: allowed: 1, 8"),
        ("nas_stem", {"cell": "nasnet_a", "conv_width": 4, "stride": 1}, "got conv_width 4: allowed: its width, 12"),
        ("nas_stem", {"cell": "nasnet_a", "conv_width": 4}, "of stride 8 got first_width 0: give the first cell's"),
        (
            "nas_stem",
            {"cell": "nasnet_a", "conv_width": 4, "first_width": 4},
            r"resolution 33 of a nasnet: .* not 8 k \+ 1 or 8 k \+ 2",
        ),
    ],
)
def test_settings_that_are_not_allowed(kind: str, settings: dict[str, str | int | float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place(kind, 4, 12, (33, 33), **settings))
