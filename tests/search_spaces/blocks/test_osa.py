"""One-shot aggregation, its separable convolution and VoVNet's stem."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import module_of
from search_spaces.blocks.osa import halve
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, place


@settings(max_examples=25)
@given(
    st.sampled_from([(8, 8), (8, 16)]),
    st.sampled_from([(12, 12), (12, 20)]),
    st.sampled_from([(1, 1), (1, 3), (2, 3)]),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["none", "ese", "eca"]),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_nested_and_counted(
    widths: tuple[int, int],
    mid_widths: tuple[int, int],
    num_layers: tuple[int, int],
    stride: int,
    separable: bool,
    residual: bool,
    attention: str,
    size: tuple[int, int],
) -> None:
    small, large = (
        place(
            "osa",
            widths[i],
            widths[i] if residual else 24,
            size,
            mid_width=mid_widths[i],
            num_layers=num_layers[i],
            stride=stride,
            separable=separable,
            residual=residual,
            attention=attention,
        )
        for i in (0, 1)
    )
    check_block(small, large)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_stems_are_nested_and_counted(stride: int, separable: bool) -> None:
    small, large = (
        place("vovnet_stem", 3, 2 * width, (9, 6), first_width=width, stride=stride, separable=separable)
        for width in (4, 8)
    )
    check_block(small, large)
    assert module_of(small).eval()(torch.zeros(1, 3, 9, 6)).shape[2:] == (-(-9 // stride), -(-6 // stride))


@pytest.mark.parametrize("size", [(6, 8), (5, 5), (1, 2), (3, 1)])
def test_halving_keeps_every_pixel(size: tuple[int, int]) -> None:
    x = -torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0)) - 1
    out = halve(x)
    assert out.shape[2:] == (-(-size[0] // 2), -(-size[1] // 2))
    assert out.isfinite().all()
    assert out.max() == x.max()
    if size[0] % 2 == size[1] % 2 == 0:
        torch.testing.assert_close(out, torch.nn.MaxPool2d(3, 2, ceil_mode=True)(x))


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"num_layers": 0}, "num_layers got 0: give 1 or more"),
        ({"num_layers": 2, "stride": 3}, "stride of one-shot aggregation got 3: allowed: 1, 2"),
        ({"num_layers": 2, "residual": True}, "residual got true with 8 channels in and 16 out: they must be equal"),
        ({"num_layers": 2, "attention": "se"}, "unknown attention 'se': .*allowed: eca, ese, none"),
    ],
)
def test_bad_settings(given_settings: dict[str, int | str | bool], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        module_of(place("osa", 8, 16, (4, 4), mid_width=8, **given_settings))


def test_a_bad_stride_of_the_stem() -> None:
    with pytest.raises(UsageError, match="stride of VoVNet's stem got 3: allowed: 1, 2, 4"):
        module_of(place("vovnet_stem", 3, 16, (8, 8), first_width=8, stride=3))
