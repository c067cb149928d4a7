"""Sorting channels by importance, so that the prefixes that small networks use are the important ones.

Inside every block whose module declares ``channel_groups`` (``search_spaces/channels.py``), the expanded channels,
hidden units or heads are put in the order of the L1 norm of the weights that read them, largest first (Once-for-All,
Cai et al. 2020, arXiv 1908.09791, section 3.3). The largest network gives the same output as before, up to rounding.
To be done once, when the largest network has been trained, and before smaller ones are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from search_spaces.building import block_in_mode
from search_spaces.channels import ChannelGroup, Units, channel_groups, permuted, unit_sizes
from search_spaces.sharing import SharedWeights, covering_set


@dataclass(frozen=True)
class Sorting:
    """What was sorted.

    Attributes:
        groups: by full name, ascending: ``stage1.block1.mbconv.hidden``.
        left_alone: places of blocks (``stem.conv_stem``) that have no group, or none that all networks agree on.
    """

    groups: tuple[str, ...]
    left_alone: tuple[str, ...]


@torch.no_grad()
def sort_channels(shared: SharedWeights, *others: Mapping[str, Tensor]) -> Sorting:
    """Sort the channels of ``shared`` in place, and those of ``others`` alike.

    Args:
        shared: the shared weights, which say what is important.
        others: tensors of the same shapes by the same names, all or some: moving average, moments of an optimiser.

    Returns:
        What was sorted, and what was left alone.
    """
    groups, places = _groups(shared)
    for group in groups:
        order = _norms(shared, group.reader).argsort(descending=True, stable=True)
        for units in (*group.makers, group.reader):
            for tensors in (shared.tensors, *others):
                tensor = tensors.get(units.parameter)
                if tensor is not None:
                    tensor.copy_(permuted(tensor, shared.layouts[units.parameter], units, order))
    names = sorted(group.name for group in groups)
    return Sorting(tuple(names), tuple(place for place in places if not any(n.startswith(f"{place}.") for n in names)))


def sort_in_training(shared: SharedWeights, average: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> Sorting:
    """Sort the channels of ``shared`` with their moving average and the moments that ``optimiser`` keeps of them."""
    moments: dict[str, dict[str, Tensor]] = {}
    for name, tensor in shared.tensors.items():
        for entry, value in optimiser.state.get(tensor, {}).items():
            if value.shape == tensor.shape:
                moments.setdefault(entry, {})[name] = value
    return sort_channels(shared, average, *moments.values())


def _groups(shared: SharedWeights) -> tuple[list[ChannelGroup], list[str]]:
    """Return the groups that all networks agree on, and the place of every block with parameters.

    Networks agree on a group where each that has one of its parameters declares it, of as many channels in the end.
    """
    declared: dict[str, set[ChannelGroup]] = {}
    users: dict[str, set[frozenset[str]]] = {}
    places: dict[str, None] = {}
    for architecture in covering_set(shared.space):
        for placed in shared.space.blueprint(architecture).placed():
            module, place = block_in_mode(placed, "train"), f"{placed.name}.{placed.kind}"
            found = {group.name: group for group in (each.inside(place) for each in channel_groups(module))}
            for name, group in found.items():
                declared.setdefault(name, set()).add(group)
            for parameter, _ in module.named_parameters(prefix=place):
                places[place] = None
                of = frozenset(name for name, group in found.items() if parameter in _parameters(group))
                users.setdefault(parameter, set()).add(of)
    agreed = [next(iter(same)) for name, same in sorted(declared.items()) if len(same) == 1]
    return [group for group in agreed if _whole(shared, group, users)], list(places)


def _whole(shared: SharedWeights, group: ChannelGroup, users: Mapping[str, set[frozenset[str]]]) -> bool:
    if any(group.name not in of for parameter in _parameters(group) for of in users[parameter]):
        return False
    sizes = {unit_sizes(shared.layouts[units.parameter], units)[1] for units in (*group.makers, group.reader)}
    return len(sizes) == 1


def _parameters(group: ChannelGroup) -> set[str]:
    return {units.parameter for units in (*group.makers, group.reader)}


def _norms(shared: SharedWeights, reader: Units) -> Tensor:
    """Return the L1 norm of each channel's weights, (channels,)."""
    sizes = unit_sizes(shared.layouts[reader.parameter], reader)
    return shared.tensors[reader.parameter].reshape(sizes).abs().sum((0, 2))
