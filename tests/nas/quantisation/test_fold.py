from __future__ import annotations

import torch
from torch import nn

from nas.quantisation.fold import folded


def shaken(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            assert tensor is not None
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        assert norm.running_var is not None
        norm.running_var.uniform_(0.2, 2.0, generator=generator)
    return norm.eval()


def test_one_channel_by_hand() -> None:
    norm = nn.BatchNorm2d(1, eps=0.0)
    convolution = nn.Conv2d(1, 1, 1)
    network = nn.Sequential(convolution, norm)
    with torch.no_grad():
        for tensor, value in (
            (convolution.weight, 3.0),
            (convolution.bias, 1.0),
            (norm.weight, 5.0),
            (norm.bias, 7.0),
            (norm.running_mean, 2.0),
            (norm.running_var, 4.0),
        ):
            assert tensor is not None
            tensor.fill_(value)
    found = folded(network, torch.zeros(1, 1, 2, 2))
    # 3 * 5 / sqrt(4), and 7 + (1 - 2) * 5 / sqrt(4)
    assert found[0].weight.item() == 7.5  # type: ignore[index]
    assert found[0].bias.item() == 4.5  # type: ignore[index]


def test_outputs_stay_and_the_given_network_too() -> None:
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False), shaken(nn.BatchNorm2d(4)), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=4)
    ).append(shaken(nn.BatchNorm2d(4)))
    images = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = folded(network, images[:1])
    with torch.inference_mode():
        assert torch.allclose(found(images), network.eval()(images), atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in found.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_norm_that_follows_no_convolution_stays() -> None:
    network = nn.Sequential(shaken(nn.BatchNorm2d(2)), nn.ReLU(), nn.Conv2d(2, 2, 1))
    found = folded(network, torch.zeros(1, 2, 4, 4))
    assert isinstance(found[0], nn.BatchNorm2d)  # type: ignore[index]
