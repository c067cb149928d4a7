from __future__ import annotations

import pytest
import torch

from search_spaces.errors import UsageError
from search_spaces.instance_batch_norm import InstanceBatchNorm
from search_spaces.layers import total
from search_spaces.testing_blocks import fill


def filled(width: int, ratio: float) -> InstanceBatchNorm:
    norm = InstanceBatchNorm(width, ratio)
    fill(norm, torch.Generator().manual_seed(0))
    return norm


def images(width: int) -> torch.Tensor:
    return torch.randn(3, width, 4, 5, generator=torch.Generator().manual_seed(1))


def test_ratio_0_is_batch_norm() -> None:
    norm, x = filled(8, 0.0), images(8)
    for mode in (True, False):
        assert torch.equal(norm.train(mode)(x), norm.batch.train(mode)(x))


def test_half_of_the_channels_are_normalised_in_each_image_and_half_over_the_batch() -> None:
    norm = InstanceBatchNorm(8, 0.5).train()
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.fill_(1.0)
        x = norm(images(8))
    of_images = x.mean((2, 3))
    spread = of_images.std(0)
    assert (spread.view(2, 4)[:, :2] < 1e-5).all()
    assert (spread.view(2, 4)[:, 2:] > 1e-2).all()


@pytest.mark.parametrize("ratio", [0.0, 0.25, 0.5, 1.0])
def test_the_number_of_parameters_is_that_of_batch_norm(ratio: float) -> None:
    assert sum(parameter.numel() for parameter in InstanceBatchNorm(16, ratio).parameters()) == 32
    assert total(InstanceBatchNorm.layers(16, (3, 3), ratio)).params == 32


def test_a_narrower_norm_is_a_leading_part() -> None:
    large, small, x = filled(16, 0.5).eval(), InstanceBatchNorm(8, 0.5).eval(), images(16)
    small.load_state_dict({name: value[:4] if value.ndim else value for name, value in large.state_dict().items()})
    with torch.no_grad():
        torch.testing.assert_close(small(x[:, :8]), large(x)[:, :8])


@pytest.mark.parametrize(("width", "ratio"), [(6, 0.5), (8, 0.3), (8, 1.25)])
def test_widths_and_ratios_that_are_not_allowed(width: int, ratio: float) -> None:
    with pytest.raises(UsageError, match=f"got width {width} and ratio {ratio}: allowed: multiples of 4; 0, 0.25"):
        InstanceBatchNorm(width, ratio)
