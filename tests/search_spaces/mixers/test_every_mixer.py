"""The contract of every registered token mixer, by ``testing_mixers``."""

from __future__ import annotations

import pytest
import torch

from search_spaces.block import block_layers, module_of
from search_spaces.building import initialise, parameter_owners
from search_spaces.errors import UsageError
from search_spaces.mixers import mixers
from search_spaces.mixers.place import Place
from search_spaces.testing_blocks import check_layers, place
from search_spaces.testing_mixers import SIDES, check_mixer, check_module, placed_mixer

every_mixer = pytest.mark.parametrize("name", mixers.names())


@every_mixer
def test_it_keeps_the_contract(name: str) -> None:
    check_mixer(name)


@every_mixer
@pytest.mark.parametrize("size", [(2, 2), (4, 8)])
def test_small_and_oblong_maps(name: str, size: tuple[int, int]) -> None:
    """Windows are those of the smaller side."""
    placed = placed_mixer(name, 16, size, SIDES[mixers.get(name).reach][0])
    check_layers(placed)
    check_module(placed)


@every_mixer
def test_it_learns_from_the_start(name: str) -> None:
    """Every parameter that is trained has a gradient under the rule of initialisation, not all of them zeros."""
    block = module_of(placed_mixer(name, 16, (4, 4), SIDES[mixers.get(name).reach][0]))
    owners = dict(parameter_owners(block))
    for parameter, tensor in block.named_parameters():
        initialise(owners[parameter], parameter, tensor, 0)
    x = torch.randn(4, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.autograd.backward((block(x) - x.flip(0)).square().mean())
    gradients = [parameter.grad for parameter in block.parameters() if parameter.requires_grad]
    assert all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients)
    mixing = [tensor.grad for parameter, tensor in block.named_parameters() if parameter.startswith("mixer")]
    assert any(gradient is not None and bool(gradient.any()) for gradient in mixing)


def test_an_unknown_mixer_lists_close_ones() -> None:
    placed = place("token_mixer", 16, 16, (4, 4), mixer="swim")
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match="unknown token mixer 'swim': did you mean 'swin'"):
            use(placed)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("swin", Place(16, (6, 6), window=4), "window 4 does not divide the map 6x6"),
        ("grid", Place(16, (6, 6), window=4), "window 4 does not divide the map 6x6"),
        ("crossformer", Place(16, (6, 6), window=4), "window 4 does not divide the map 6x6"),
        ("maxim", Place(16, (6, 6), window=4), "window 4 does not divide the map 6x6"),
        ("varying_window", Place(16, (6, 6), window=4), "window 4 does not divide the map 6x6"),
        ("wavemix", Place(16, (6, 6), window=1), "token mixer 'wavemix' got window 1: allowed: 2 or more"),
        ("wavemix", Place(6, (4, 4)), "token mixer 'wavemix' got width 6: allowed: multiples of 4"),
        ("lsconv", Place(12, (4, 4)), "token mixer 'lsconv' got width 12: allowed: multiples of 8"),
        ("hyper_zzw", Place(12, (4, 4)), "token mixer 'hyper_zzw' got width 12: allowed: multiples of 8"),
        ("self_guided", Place(12, (4, 4)), "token mixer 'self_guided' got width 12: allowed: multiples of 8"),
        ("modulation", Place(6, (4, 4)), "token mixer 'modulation' got width 6: allowed: multiples of 4"),
        ("dilated_reparam", Place(16, (4, 4), kernel=19), "kernel got 19: allowed: 3, 5, 7"),
    ],
)
def test_places_that_a_mixer_can_not_take(name: str, given: Place, message: str) -> None:
    build = mixers.get(name).build
    for use in (build, lambda where: build.layers(where, 0)):
        with pytest.raises(UsageError, match=message):
            use(given)


@pytest.mark.parametrize("kernel", [0, 2, -3])
def test_even_kernels_are_refused_everywhere(kernel: int) -> None:
    for name in ("depthwise", "omni_scale", "tic"):
        with pytest.raises(UsageError, match=f"kernel got {kernel}: same-padded convolutions take odd kernels"):
            block_layers(place("token_mixer", 16, 16, (4, 4), mixer=name, kernel=kernel))
