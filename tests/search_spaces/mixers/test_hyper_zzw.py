from __future__ import annotations

import torch

from search_spaces.mixers.hyper_zzw import HyperZzw, coordinates
from search_spaces.mixers.place import Place
from search_spaces.testing_blocks import fill


def test_the_global_part_is_x_times_the_kernel_times_x() -> None:
    """With the slow net at zero the local part is nothing."""
    module = HyperZzw(Place(8, (3, 4)))
    fill(module, torch.Generator().manual_seed(0))
    x = torch.randn(2, 8, 3, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        module.slow.weight.zero_()
        module.slow.bias.zero_()
        torch.testing.assert_close(module(x), x * (module.kernel() * x))
        assert module.kernel().std((1, 2)).min() > 1e-3


def test_parameters_do_not_depend_on_the_size_of_the_kernel() -> None:
    shapes = [{name: p.shape for name, p in HyperZzw(Place(8, size)).named_parameters()} for size in ((2, 2), (32, 9))]
    assert shapes[0] == shapes[1]


def test_the_local_kernel_follows_the_image() -> None:
    module = HyperZzw(Place(8, (3, 3)))
    fill(module, torch.Generator().manual_seed(0))
    one = torch.zeros(1, 8, 3, 3)
    one[..., 1, 1] = 1
    with torch.no_grad():
        for parameter in module.kernel.project.parameters():
            parameter.zero_()
        once, twice = module(one), module(2 * one)
    assert once[..., 0, 0].abs().max() > 0
    assert not torch.allclose(twice, 2 * once)


def test_coordinates_reach_from_minus_1_to_1() -> None:
    found = coordinates((2, 3), torch.zeros(1))
    assert found.tolist() == [[[-1, -1], [-1, 0], [-1, 1]], [[1, -1], [1, 0], [1, 1]]]
