"""Groups of interchangeable channels inside a block: permuted together, they leave the block's output as it is.

A module says which it has in one method, ``channel_groups``, beside its ``forward``; one without the method has none.
Channels that reach beyond the block (its input and output) are never in a group: other blocks count on their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from search_spaces.layout import Layout, Product

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Units:
    """Where a group's channels lie: on ``axis`` of ``parameter``, there on one ``factor`` of its layout's product."""

    parameter: str
    axis: int = 0
    factor: int = 0


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """Channels, hidden units or heads that may change places.

    Attributes:
        name: of the group in its module.
        makers: every place where they lie but ``reader``.
        reader: the weight through which the block reads them; its norm says how much a channel matters.
    """

    name: str
    makers: tuple[Units, ...]
    reader: Units

    def inside(self, prefix: str) -> ChannelGroup:
        """Return the group as a module that holds this one's at ``prefix`` names it."""

        def moved(units: Units) -> Units:
            return replace(units, parameter=f"{prefix}.{units.parameter}")

        return ChannelGroup(f"{prefix}.{self.name}", tuple(map(moved, self.makers)), moved(self.reader))


@runtime_checkable
class HasChannelGroups(Protocol):
    """A module that declares groups of channels."""

    def channel_groups(self) -> tuple[ChannelGroup, ...]:
        """Return the groups inside this module that its submodules do not declare themselves."""
        ...


def made_by(module: nn.Module, *paths: str) -> tuple[Units, ...]:
    """Return the first axis of every parameter of the submodules at ``paths`` (convolution, bias, norm)."""
    return tuple(Units(f"{path}.{name}") for path in paths for name, _ in module.get_submodule(path).named_parameters())


def head_group(attention: str, *more: Units) -> ChannelGroup:
    """Return the heads of the self-attention at ``attention``; ``more`` are places of a bias that heads have."""
    fused = (Units(f"{attention}.qkv.weight", factor=1), Units(f"{attention}.qkv.bias", factor=1))
    return ChannelGroup("heads", (*fused, *more), Units(f"{attention}.projection.weight", axis=1))


def channel_groups(module: nn.Module) -> Iterator[ChannelGroup]:
    """Yield the groups of ``module`` and of everything in it, named from ``module``."""
    for path, part in module.named_modules():
        if isinstance(part, HasChannelGroups):
            for group in part.channel_groups():
                yield group.inside(path) if path else group


def unit_sizes(layout: Layout, units: Units) -> tuple[int, int, int]:
    """Return the number of entries before, on and after the channels, with axes and their factors in one row."""
    sizes: list[int] = []
    at = 0
    for number, axis in enumerate(layout):
        if number == units.axis:
            at = len(sizes) + units.factor
        sizes += [factor.size for factor in axis.factors] if isinstance(axis, Product) else [axis.size]
    return prod(sizes[:at]), sizes[at], prod(sizes[at + 1 :])


def permuted(tensor: Tensor, layout: Layout, units: Units, order: Tensor) -> Tensor:
    """Return ``tensor``, laid out as ``layout``, with its channels in ``order``, int64 (channels,)."""
    return tensor.reshape(unit_sizes(layout, units)).index_select(1, order).view(tensor.shape)
