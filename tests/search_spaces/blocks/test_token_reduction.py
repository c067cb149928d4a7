from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place, tokens


@settings(max_examples=10)
@given(
    st.lists(st.integers(1, 8), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(8, 16), min_size=2, max_size=2).map(sorted),
    st.tuples(st.sampled_from([2, 4, 6]), st.sampled_from([2, 4])),
)
def test_nested_and_counted(in_widths: list[int], out_widths: list[int], size: tuple[int, int]) -> None:
    small, large = (place("token_reduction", in_widths[i], out_widths[i], size) for i in (0, 1))
    check_block(small, large, tokens)


def test_with_zero_weights_the_shortcut_alone_is_left() -> None:
    block = module_of(place("token_reduction", 3, 5, (2, 4)))
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
    x = tokens(3, (2, 4), torch.Generator().manual_seed(0))
    out = block(x)
    assert out.shape == (2, 3, 5)
    assert torch.equal(out[:, 0, :3], x[:, 0])
    torch.testing.assert_close(out[:, 1, :3], x[:, [1, 2, 5, 6]].mean(1))
    assert not out[..., 3:].any()


@pytest.mark.parametrize(
    ("widths", "size", "stride", "message"),
    [
        ((4, 8), (3, 4), 2, "a token_reduction block got a grid of 3x4: allowed: even sides"),
        ((8, 4), (2, 2), 2, "a token_reduction block got widths 8 -> 4: allowed: no smaller ones"),
        ((4, 8), (6, 6), 3, "a token_reduction block got stride 3: allowed: 2"),
    ],
)
def test_reductions_that_can_not_stand(
    widths: tuple[int, int], size: tuple[int, int], stride: int, message: str
) -> None:
    for call in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            call(place("token_reduction", *widths, size, stride=stride))
