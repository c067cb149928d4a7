from __future__ import annotations

import pytest
import torch
from torch import nn

from search_spaces.errors import UsageError
from search_spaces.reparameterise import centred, fold, merge


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def norm_of(width: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(width).eval()
    for number, values in enumerate((norm.weight.data, norm.bias.data, norm.running_mean)):
        assert values is not None
        values.copy_(normal(width, seed=number))
    assert norm.running_var is not None
    norm.running_var.copy_(normal(width, seed=4).square() + 0.5)
    return norm


@pytest.mark.parametrize("bias", [False, True])
def test_a_folded_norm_gives_what_the_norm_gives(bias: bool) -> None:
    conv, norm = nn.Conv2d(3, 6, 3, bias=bias), norm_of(6)
    x = normal(2, 3, 5, 5)
    weight, shift = fold(conv.weight, conv.bias, norm)
    torch.testing.assert_close(nn.functional.conv2d(x, weight, shift), norm(conv(x)))


def test_a_norm_without_statistics_is_not_folded() -> None:
    norm = nn.BatchNorm2d(4, track_running_stats=False)
    with pytest.raises(UsageError, match="without running statistics can't be folded: calibrate the network first"):
        fold(normal(4, 2), None, norm)


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (3, 2), (5, 1), (3, 3)])
def test_a_spread_kernel_gives_what_the_dilated_convolution_gives(kernel: int, dilation: int) -> None:
    x, weight = normal(1, 4, 9, 9), normal(4, 1, kernel, kernel, seed=1)
    dilated = nn.functional.conv2d(x, weight, padding=dilation * (kernel // 2), dilation=dilation, groups=4)
    plain = nn.functional.conv2d(x, centred(weight, 7, dilation), padding=3, groups=4)
    torch.testing.assert_close(plain, dilated)


def test_a_spread_kernel_must_fit() -> None:
    with pytest.raises(UsageError, match="a kernel of 3 with dilation 4 does not fit in one of 7"):
        centred(normal(4, 1, 3, 3), 7, 4)


class Twice(nn.Linear):
    """A module that its own weights, doubled, may replace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)

    def merged(self) -> nn.Linear:
        found = nn.Linear(self.in_features, self.out_features)
        found.load_state_dict({name: 2 * value for name, value in self.state_dict().items()})
        return found


def test_every_part_that_can_be_merged_is_and_the_given_network_stays() -> None:
    network = nn.Sequential(Twice(3, 4), nn.Sequential(nn.ReLU(), Twice(4, 2)))
    merged = merge(network)
    assert not any(isinstance(module, Twice) for module in merged.modules())
    assert sum(isinstance(module, Twice) for module in network.modules()) == 2
    assert network.training
    assert not any(module.training for module in merged.modules())
    x = normal(5, 3)
    torch.testing.assert_close(merged(x), network(x))
