from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import module_of
from search_spaces.testing_blocks import check_block, place

WIDTHS = st.lists(st.integers(1, 24), min_size=2, max_size=2).map(sorted)


@settings(max_examples=15)
@given(
    WIDTHS,
    WIDTHS,
    WIDTHS,
    st.integers(2, 11),
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.booleans(),
    st.booleans(),
)
def test_nested_and_counted(
    in_widths: list[int],
    expand_widths: list[int],
    mix_widths: list[int],
    classes: int,
    size: tuple[int, int],
    mix_bias: bool,
    adaptive_pool: bool,
) -> None:
    small, large = (
        place(
            "mobile_head",
            in_widths[i],
            classes,
            size,
            expand_width=expand_widths[i],
            mix_width=mix_widths[i],
            mix_bias=mix_bias,
            adaptive_pool=adaptive_pool,
        )
        for i in (0, 1)
    )
    check_block(small, large)


def test_dropout_acts_in_training_only() -> None:
    head = module_of(place("mobile_head", 8, 4, (2, 2), expand_width=16, mix_width=64, dropout=0.9))
    x = torch.randn(2, 8, 2, 2, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    assert not torch.equal(head(x), head(x))
    head.eval()
    assert torch.equal(head(x), head(x))
