"""A scaled-up network that starts from the shared weights: what the two have in common is copied, axis by axis.

Every parameter takes the largest part that the shared tensor of its name has for it, by the layouts that rule sharing
(``search_spaces.layout``): leading channels, centres of kernels, each factor and segment; position tables are resized.
Channels that are new start as in a fresh network, and what was copied does not listen to them yet: their weights into
copied channels are zero. So, where norms act on single channels, a wider network computes at first what the narrower
one did. A block that no network of the space has starts as a copy of the block before it of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_spaces.blueprint import Blueprint
from search_spaces.building import Network, build
from search_spaces.errors import UsageError
from search_spaces.layout import Axis, Layout, Plain, Product, Segments, layout_of, take

LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
BLOCK = re.compile(r"(stage\d+\.block)(\d+)(\..*)")


@dataclass(frozen=True, slots=True)
class Carried:
    """How much of a network came from the shared weights.

    Attributes:
        num_tensors: parameters that took something; of ``all_tensors``.
        num_elements: numbers that were copied; of ``all_elements``.
        num_copied_blocks: blocks that started as copies of the block before them.
    """

    num_tensors: int
    all_tensors: int
    num_elements: int
    all_elements: int
    num_copied_blocks: int


@torch.no_grad()
def scaled_start(
    blueprint: Blueprint, tensors: Mapping[str, Tensor], layouts: Mapping[str, Layout], seed: int = 0
) -> tuple[Network, Carried]:
    """Return the network of ``blueprint``, in training mode, with what ``tensors`` have of it, and how much that is.

    Args:
        blueprint: any network of the same family, larger, smaller or both.
        tensors: the shared weights, or their moving average, by name.
        layouts: of each, as ``SharedWeights.layouts``.
        seed: of the numbers that are new.

    Raises:
        UsageError: no parameter of the network has a name that is shared.
    """
    network = build(blueprint, seed=seed)
    declared = _layouts(blueprint)
    owners = {f"{path}.{name}": owner for path, owner in network.named_modules() for name in owner._parameters}
    parameters = dict(network.named_parameters())
    num_tensors = num_elements = 0
    copied_blocks = set()
    for name, parameter in parameters.items():
        source = _source(name, tensors)
        if source is None or len(layouts[source]) != len(declared[name]):
            continue
        mix = isinstance(owners[name], LINEAR) and name.endswith(".weight") and parameter.dim() > 1
        count = copy_overlap(parameter, declared[name], tensors[source], layouts[source], quiet=mix)
        num_tensors, num_elements = num_tensors + (count > 0), num_elements + count
        if source != name:
            copied_blocks.add(name[: name.index(".", name.index(".block") + 1)])
    if not num_tensors:
        raise UsageError(
            f"no parameter of this {blueprint.family!r} network has a name in the shared weights: give their family"
        )
    return network, Carried(
        num_tensors,
        len(parameters),
        num_elements,
        sum(parameter.numel() for parameter in parameters.values()),
        len(copied_blocks),
    )


def _layouts(blueprint: Blueprint) -> dict[str, Layout]:
    """Return the layout of each parameter; moving a parameter off the meta device loses it, so from there."""
    from search_spaces.block import module_of

    with torch.device("meta"):
        network = Network([(placed, module_of(placed)) for placed in blueprint.placed()])
    return {name: layout_of(parameter) for name, parameter in network.named_parameters()}


def _source(name: str, tensors: Mapping[str, Tensor]) -> str | None:
    """Return the shared name to start from, its own or that of the nearest block before it; None without one."""
    found = BLOCK.fullmatch(name)
    if name in tensors or found is None:
        return name if name in tensors else None
    start, number, rest = found.group(1), int(found.group(2)), found.group(3)
    earlier = (f"{start}{block}{rest}" for block in range(number - 1, 0, -1))
    return next((each for each in earlier if each in tensors), None)


@torch.no_grad()
def copy_overlap(to: Tensor, layout: Layout, source: Tensor, extent: Layout, quiet: bool = False) -> int:
    """Copy into ``to`` what ``source`` has of it, and return the number of elements.

    Args:
        to: laid out as ``layout``, contiguous; changed in place.
        layout: of ``to``.
        source: laid out as ``extent``.
        extent: of ``source``, with as many axes.
        quiet: set the rest of the rows (axis 0) that were copied into to zero: inputs that are new.
    """
    if quiet:
        _leaves(to, source, list(zip(layout[:1], extent[:1], strict=True)), 0, zero=True)
    return _leaves(to, source, list(zip(layout, extent, strict=True)), 0)


def _leaves(to: Tensor, source: Tensor, axes: list[tuple[Axis, Axis]], dim: int, zero: bool = False) -> int:
    """Go down the axes, narrowing both tensors to what they have in common; at the end copy, or fill with zeros.

    ``dim`` is the axis that the first of ``axes`` lies on.
    """
    if not axes:
        if zero:
            to.zero_()
        else:
            to.copy_(source)
        return to.numel()
    (inner, outer), rest = axes[0], axes[1:]
    if isinstance(inner, Plain) and isinstance(outer, Plain):
        to, source = _common(to, inner, source, outer, dim)
        return _leaves(to, source, rest, dim + 1, zero)
    if isinstance(inner, Product) and isinstance(outer, Product) and len(inner.factors) == len(outer.factors):
        factors = list(zip(inner.factors, outer.factors, strict=True))
        return _leaves(_factored(to, dim, inner), _factored(source, dim, outer), [*factors, *rest], dim, zero)
    if isinstance(inner, Segments) and isinstance(outer, Segments):
        return sum(
            _leaves(to.narrow(dim, *here), source.narrow(dim, *there), [(part, whole), *rest], dim, zero)
            for (part, here), (whole, there) in _shared_segments(inner, outer)
        )
    return 0


def _factored(tensor: Tensor, dim: int, axis: Product) -> Tensor:
    """Return ``tensor`` with one axis as its factors: a view, which writes go through."""
    return tensor.view(*tensor.shape[:dim], *(factor.size for factor in axis.factors), *tensor.shape[dim + 1 :])


def _common(to: Tensor, inner: Plain, source: Tensor, outer: Plain, dim: int) -> tuple[Tensor, Tensor]:
    """Return both tensors on one plain axis, as long as the shorter, from where the part says; resized: as ``to``."""
    if inner.part == "resized" and inner.size != outer.size:
        extent = tuple(outer if axis == dim else Plain(size) for axis, size in enumerate(source.shape))
        wanted = tuple(inner if axis == dim else Plain(size) for axis, size in enumerate(source.shape))
        return to, take(source, extent, wanted)
    size = min(inner.size, outer.size)

    def part(tensor: Tensor, axis: Plain) -> Tensor:
        return tensor.narrow(dim, 0 if inner.part == "leading" else (axis.size - size) // 2, size)

    return part(to, inner), part(source, outer)


Run = tuple[int, int]


def _shared_segments(inner: Segments, outer: Segments) -> list[tuple[tuple[Axis, Run], tuple[Axis, Run]]]:
    """Return ((segment, (start, length)) of one, the same of the other) for each name that both have."""

    def runs(segments: Segments) -> dict[str, tuple[Axis, Run]]:
        found, start = {}, 0
        for name, axis in segments.parts:
            found[name] = (axis, (start, axis.size))
            start += axis.size
        return found

    others = runs(outer)
    return [(found, others[name]) for name, found in runs(inner).items() if name in others]
