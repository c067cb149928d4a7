from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.nb201_cells import EDGES, OPERATORS, cell_operators, cell_text
from search_spaces.testing_blocks import check_block, place

ALL_3X3 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
cells = st.lists(st.sampled_from(OPERATORS), min_size=6, max_size=6).map(lambda names: cell_text(tuple(names)))
# A node on "skip_connect" or "nor_conv" at the end, so that the output is not zeros only.
live_cells = st.lists(st.sampled_from(OPERATORS), min_size=5, max_size=5).map(
    lambda names: cell_text((*names[:3], "skip_connect", *names[3:]))
)


@settings(max_examples=15)
@given(st.sampled_from([(4, 4), (4, 8), (8, 24)]), live_cells, st.tuples(st.integers(2, 7), st.integers(2, 7)))
def test_cells_nest_and_are_counted(widths: tuple[int, int], cell: str, size: tuple[int, int]) -> None:
    small, large = (place("nb201_cell", width, width, size, cell=cell) for width in widths)
    check_block(small, large)


@settings(max_examples=10)
@given(
    st.sampled_from([(4, 8), (8, 8)]),
    st.sampled_from([(8, 16), (6, 7)]),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_reductions_nest_and_are_counted(ins: tuple[int, int], outs: tuple[int, int], size: tuple[int, int]) -> None:
    small, large = (place("nb201_reduction", ins[i], outs[i], size, stride=2) for i in (0, 1))
    check_block(small, large)


def test_the_head_nests_and_is_counted() -> None:
    check_block(place("norm_head", 8, 5, (3, 4)), place("norm_head", 12, 5, (3, 4)))


@given(cells)
def test_the_notation_is_read_back(cell: str) -> None:
    assert cell_text(cell_operators(cell)) == cell
    assert len(cell_operators(cell)) == len(EDGES)


def test_node_3_is_the_sum_over_its_edges() -> None:
    cell = "|skip_connect~0|+|none~0|skip_connect~1|+|skip_connect~0|skip_connect~1|avg_pool_3x3~2|"
    x = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    pooled = torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    torch.testing.assert_close(module_of(place("nb201_cell", 3, 3, (4, 4), cell=cell))(x), 2 * x + pooled)


def test_an_odd_map_halves_with_ceil() -> None:
    block = module_of(place("nb201_reduction", 3, 4, (7, 5), stride=2))
    assert block(torch.zeros(1, 3, 7, 5)).shape == (1, 4, 4, 3)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("|none~0|", r"cell got '\|none~0\|': allowed: \|op~0\|"),
        (ALL_3X3.replace("~2", "~1"), "cell got .*allowed"),
        (ALL_3X3.replace("3x3~2", "5x5~2"), "unknown operator of a cell 'nor_conv_5x5': did you mean 'nor_conv_3x3'"),
    ],
)
def test_cells_that_are_not_allowed(cell: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place("nb201_cell", 4, 4, (4, 4), cell=cell))


def test_widths_and_strides_that_are_not_allowed() -> None:
    with pytest.raises(UsageError, match="nb201_cell block got widths 4 -> 8: give it equal widths"):
        block_layers(place("nb201_cell", 4, 8, (4, 4), cell=ALL_3X3))
    with pytest.raises(UsageError, match="nb201_reduction block got stride 1: allowed: 2"):
        module_of(place("nb201_reduction", 4, 8, (4, 4), stride=1))
