from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import block_layers, module_of
from search_spaces.blocks.unireplknet import GlobalResponseNorm, ResponseMlp
from search_spaces.errors import UsageError
from search_spaces.testing_blocks import check_block, check_layers, fill, place


@settings(max_examples=10)
@given(
    st.sampled_from([(3, 3), (3, 5), (7, 9), (7, 13), (9, 11), (11, 13)]),
    st.booleans(),
    st.booleans(),
    st.integers(2, 7),
)
def test_nested_and_counted(kernels: tuple[int, int], first: bool, merged: bool, side: int) -> None:
    small, large = (
        place(
            "unireplknet",
            4 if first else width,
            width,
            (side, 5),
            kernel=kernel,
            expansion=expansion,
            stride=2 if first else 1,
            merged=merged,
        )
        for kernel, width, expansion in zip(kernels, (8, 12), (2, 4), strict=True)
    )
    check_block(small, large)


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize(("width", "expansion"), [(8, 2), (12, 3), (10, 4)])
def test_widths_are_counted(width: int, expansion: int, merged: bool) -> None:
    check_layers(place("unireplknet", width, width, (5, 6), kernel=7, expansion=expansion, merged=merged))


def test_grn_on_channels_padded_by_zeros_differs_by_the_number_of_channels_alone() -> None:
    small, large = GlobalResponseNorm(4), GlobalResponseNorm(8)
    fill(large, torch.Generator().manual_seed(0))
    assert small.beta is not None
    assert large.beta is not None
    large.gamma.data[4:] = large.beta.data[4:] = 0
    small.beta.data = large.beta.data[:4]
    # Twice the channels halve the mean that the response is divided by.
    small.gamma.data = 2 * large.gamma.data[:4]
    x = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(1))
    out = large(torch.nn.functional.pad(x, (0, 4)))
    torch.testing.assert_close(out[..., :4], small(x), rtol=1e-4, atol=1e-5)
    assert not out[..., 4:].any()


def test_merging_the_mlp_changes_nothing() -> None:
    mlp = ResponseMlp(8, 24).eval()
    fill(mlp, torch.Generator().manual_seed(0))
    x = torch.randn(2, 8, 3, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = mlp(x), mlp.merged()(x)
    assert float((before - after).abs().max() / before.abs().max()) < 1e-5


def test_another_width_takes_a_stride() -> None:
    placed = place("unireplknet", 8, 16, (4, 4), kernel=3)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=r"unireplknet block of stride 1 got widths 8 -> 16"):
            use(placed)


def test_a_kernel_that_has_no_branches_defined() -> None:
    placed = place("unireplknet", 8, 8, (4, 4), kernel=4)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match="kernel got 4: allowed: 3, 5, 7, 9, 11, 13, 15, 17"):
            use(placed)


def test_a_width_that_the_gate_can_not_reduce() -> None:
    placed = place("unireplknet", 3, 3, (4, 4), kernel=3)
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match="unireplknet block got width 3: allowed: 4 or more"):
            use(placed)
