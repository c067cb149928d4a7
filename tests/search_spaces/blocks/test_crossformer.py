from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.crossformer import DynamicBias
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, fill, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=15)
@given(
    pair([4, 8, 12]),
    pair([8, 12, 16]),
    pair([1, 2, 3]),
    pair([2, 3, 4]),
    st.sampled_from([2, 4]),
    st.booleans(),
    st.sampled_from([1, 2]),
    st.tuples(st.sampled_from([4, 8]), st.sampled_from([4, 8])),
)
def test_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    heads: list[int],
    bias_widths: list[int],
    window: int,
    far: bool,
    stride: int,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "crossformer",
            in_widths[i] if stride == 2 else out_widths[i],
            out_widths[i],
            size,
            heads=heads[i],
            head_dim=4,
            mlp_width=2 * out_widths[i],
            bias_width=bias_widths[i],
            window=window,
            far=far,
            stride=stride,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize(("far", "seen"), [(False, [2, 3]), (True, [0, 3])])
def test_a_cell_sees_the_cells_of_its_group(far: bool, seen: list[int]) -> None:
    settings = {"heads": 1, "head_dim": 4, "mlp_width": 8, "bias_width": 3, "window": 2, "far": far}
    block = module_of(place("crossformer", 4, 4, (6, 6), **settings))
    fill(block, torch.Generator().manual_seed(0))
    x = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(1), requires_grad=True)
    torch.autograd.backward(block(x)[0, :, 3, 3].sum())
    assert x.grad is not None
    rows = x.grad[0].ne(0).any(0).any(1).nonzero().flatten().tolist()
    columns = x.grad[0].ne(0).any(0).any(0).nonzero().flatten().tolist()
    assert rows == columns == seen


def test_the_bias_is_the_mlp_of_the_offset() -> None:
    bias = DynamicBias(2, 3, 2)
    fill(bias, torch.Generator().manual_seed(0))
    x = bias.embed(torch.tensor([1.0, -1.0]))
    for norm, linear in zip(bias.norms, bias.linears, strict=True):
        x = linear(torch.relu(norm(x)))
    torch.testing.assert_close(bias()[:, 2, 1], x)
    assert bias().shape == (2, 4, 4)


@pytest.mark.parametrize(
    ("widths", "size", "settings", "message"),
    [
        ((8, 8), (10, 10), {"window": 4}, r"window 4 does not divide the map 10x10: allowed: \[1, 2, 5, 10\]"),
        ((8, 9), (8, 8), {"stride": 2, "window": 2}, "a crossformer block of stride 2 got width 9: allowed: even ones"),
        ((8, 8), (7, 7), {"stride": 2}, "a crossformer block of stride 2 got a map of 7x7: allowed: even sides"),
        ((8, 16), (8, 8), {"window": 2}, "a crossformer block of stride 1 got widths 8 -> 16: give it equal widths"),
    ],
)
def test_crossformer_blocks_that_can_not_stand(
    widths: tuple[int, int], size: tuple[int, int], settings: dict[str, int], message: str
) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(place("crossformer", *widths, size, heads=2, head_dim=4, mlp_width=16, bias_width=2, **settings))
