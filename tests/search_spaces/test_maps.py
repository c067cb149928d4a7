from __future__ import annotations

import pytest
import torch

from search_spaces.errors import UsageError
from search_spaces.maps import FIRST_SCALE, ChannelNorm, LayerScale, PatchDown, plain_conv


def images(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_a_channel_norm_centres_and_scales_every_cell() -> None:
    out = ChannelNorm(16)(images(2, 16, 3, 4))
    torch.testing.assert_close(out.mean(1), torch.zeros(2, 3, 4), atol=1e-6, rtol=0)
    torch.testing.assert_close(out.var(1, correction=0), torch.ones(2, 3, 4), atol=1e-4, rtol=0)


def test_a_decomposed_norm_gives_the_same() -> None:
    fused, decomposed = ChannelNorm(16), ChannelNorm(16, decomposed=True)
    decomposed.load_state_dict(fused.state_dict())
    x = images(2, 16, 3, 4)
    torch.testing.assert_close(decomposed(x), fused(x))


def test_sides_that_the_stride_does_not_divide_are_rounded_up() -> None:
    down = PatchDown(4, 6, 2)
    x = images(1, 4, 5, 7)
    assert down(x).shape == (1, 6, 3, 4)
    torch.testing.assert_close(down(x)[..., :2, :3], down(x[..., :4, :6]))


def test_a_layer_scale_starts_near_zero() -> None:
    scale = LayerScale(3)
    scale.initialise("weight", scale.weight.data)
    torch.testing.assert_close(scale(torch.ones(2, 3)), torch.full((2, 3), FIRST_SCALE))


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(UsageError, match="kernel got 4: same-padded convolutions take odd kernels"):
        plain_conv(4, 4, 4)
