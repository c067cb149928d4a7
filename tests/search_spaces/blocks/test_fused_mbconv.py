from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


def pair(values: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), min_size=2, max_size=2).map(sorted)


@settings(max_examples=15)
@given(
    pair([8, 16, 24]),
    pair([8, 16, 32]),
    pair([3, 5]),
    pair([2, 3, 4]),
    st.sampled_from([1, 2]),
    st.tuples(st.integers(2, 7), st.integers(2, 7)),
)
def test_nested_and_counted(
    in_widths: list[int],
    out_widths: list[int],
    kernels: list[int],
    expansions: list[int],
    stride: int,
    size: tuple[int, int],
) -> None:
    if stride == 1:
        out_widths = in_widths
    small, large = (
        place(
            "fused_mbconv", in_widths[i], out_widths[i], size, kernel=kernels[i], expansion=expansions[i], stride=stride
        )
        for i in (0, 1)
    )
    check_block(small, large)


@settings(max_examples=5)
@given(pair([8, 16, 24]), pair([3, 5]), st.sampled_from([1, 2]))
def test_without_expansion(widths: list[int], kernels: list[int], stride: int) -> None:
    small, large = (
        place("fused_mbconv", widths[i], widths[i], (5, 4), kernel=kernels[i], expansion=1, stride=stride)
        for i in (0, 1)
    )
    check_block(small, large)


def test_expansion_one_is_a_single_convolution() -> None:
    layers = block_layers(place("fused_mbconv", 8, 8, (4, 4), kernel=3, expansion=1))
    assert [layer.op for layer in layers] == ["conv", "batch_norm", "activation", "add"]


def test_names_say_whether_the_block_expands() -> None:
    """Weights of another meaning have another name, so that they are never shared."""
    names = [
        {name for name, _ in module_of(place("fused_mbconv", 8, 8, (4, 4), kernel=3, expansion=e)).named_parameters()}
        for e in (1, 4)
    ]
    assert not names[0] & names[1]


def test_an_even_kernel_is_not_allowed() -> None:
    with pytest.raises(UsageError, match="kernel got 4: same-padded convolutions take odd kernels"):
        module_of(place("fused_mbconv", 8, 8, (4, 4), kernel=4, expansion=2))
