from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.testing_blocks import check_block, place

KERNELS = [1, 3, 5, 7]


@settings(max_examples=15)
@given(
    st.integers(1, 4),
    st.tuples(st.integers(6, 16), st.integers(6, 16)),
    st.tuples(st.sampled_from(KERNELS), st.sampled_from(KERNELS)),
    st.tuples(st.integers(3, 11), st.integers(3, 11)),
    st.sampled_from([1, 2]),
    st.sampled_from(["relu", "hard_swish", "silu", "none"]),
)
def test_nested_and_counted(
    channels: int,
    widths: tuple[int, int],
    kernels: tuple[int, int],
    size: tuple[int, int],
    stride: int,
    activation: str,
) -> None:
    small, large = (
        place("conv_stem", channels, width, size, kernel=kernel, stride=stride, activation=activation)
        for width, kernel in zip(sorted(widths), sorted(kernels), strict=True)
    )
    check_block(small, large)
