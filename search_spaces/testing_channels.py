"""The contract of ``channel_groups``, to be run on blocks that are your own."""

from __future__ import annotations

import torch

from search_spaces.block import module_of
from search_spaces.blueprint import PlacedBlock
from search_spaces.channels import channel_groups, permuted, unit_sizes
from search_spaces.layout import layout_of
from search_spaces.testing_blocks import Inputs, each_tensor, fill, images


@torch.no_grad()
def check_channel_groups(placed: PlacedBlock, inputs: Inputs = images, seed: int = 0) -> list[str]:
    """Check that a random permutation of each group leaves the block's output as it is, and return the groups' names.

    In float64, with random weights and batch statistics.

    Raises:
        AssertionError: a group is not what it says; the message names it.
    """
    generator = torch.Generator().manual_seed(seed)
    module = module_of(placed).double().train()
    fill(module, generator)
    x, names = each_tensor(inputs(placed.in_width, placed.in_size, generator), torch.Tensor.double), []
    expected, parameters = module(x), dict(module.named_parameters())
    for group in channel_groups(module):
        layouts = {name: layout_of(parameter) for name, parameter in parameters.items()}
        places = (*group.makers, group.reader)
        assert len(set(places)) == len(places), f"{placed.kind}: group {group.name!r} names a place twice"
        sizes = {unit_sizes(layouts[units.parameter], units)[1] for units in places}
        assert len(sizes) == 1, f"{placed.kind}: group {group.name!r} has places of {sorted(sizes)} channels"
        order = torch.randperm(sizes.pop(), generator=generator)
        for units in places:
            parameter = parameters[units.parameter]
            parameter.copy_(permuted(parameter, layouts[units.parameter], units, order))
        error = float((module(x) - expected).abs().max() / expected.abs().max())
        assert error < 1e-12, f"{placed.kind}: permuting group {group.name!r} changes the output by {error:.1e}"
        names.append(group.name)
    return names
