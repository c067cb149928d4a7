"""The registry of blocks: one file an operator, its module and its closed-form twin side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.layers import Cost, Layer, total, weighted_groups
from search_spaces.registry import Registry

if TYPE_CHECKING:
    from torch import nn

B = TypeVar("B", bound=type)


class BlockType(Protocol):
    """What a block's class gives: a module built from widths and settings, and the layers that it costs."""

    uses_size: bool
    """Whether the module depends on the size of its input (position tables); convolutions do not."""

    def __call__(self, in_width: int, out_width: int, in_size: tuple[int, int], **settings: object) -> nn.Module:
        """Build the module."""

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: tuple[int, int], **settings: object) -> tuple[Layer, ...]:
        """Return what one image costs in the block."""


blocks: Registry[BlockType] = Registry("block", "search_spaces.blocks")


def register_block(name: str) -> Callable[[B], B]:
    """Return the decorator that registers a block's class under ``name``.

    The cast is here because each block names settings of its own, which no one protocol can say.
    """

    def enter(block: B) -> B:
        blocks.register(name)(cast(BlockType, block))
        return block

    return enter


def plain_layers(placed: PlacedBlock) -> tuple[Layer, ...]:
    """Return the layers of one placed block, all of them in float32."""
    return blocks.get(placed.kind).layers(placed.in_width, placed.out_width, placed.in_size, **placed.keywords)


def block_layers(placed: PlacedBlock) -> tuple[Layer, ...]:
    """Return the layers of one placed block, each with its precision.

    Raises:
        UsageError: the block has not as many weighted layers as precisions.
    """
    layers = plain_layers(placed)
    if placed.precision == "fp32":
        return layers
    if isinstance(placed.precision, str):
        return tuple(replace(layer, precision=placed.precision) for layer in layers)
    groups = weighted_groups(layers)
    check_precisions(placed, len(groups))
    pairs = zip(groups, placed.precision, strict=True)
    return tuple(replace(layer, precision=name) for group, name in pairs for layer in group)


def check_precisions(placed: PlacedBlock, num_layers: int) -> None:
    """Raise UsageError unless the block has one precision, or one for each of its ``num_layers`` weighted layers."""
    if not isinstance(placed.precision, str) and len(placed.precision) != num_layers:
        raise UsageError(
            f"block {placed.name!r} ({placed.kind}) got {len(placed.precision)} precisions: give one for all its "
            f"layers or {num_layers}, one a convolution or linear map"
        )


def network_blocks(blueprint: Blueprint) -> list[tuple[Layer, ...]]:
    """Return the layers of each block of a network, in order."""
    return [block_layers(placed) for placed in blueprint.placed()]


def network_layers(blueprint: Blueprint) -> Iterator[Layer]:
    """Yield the layers of a whole network in order."""
    for layers in network_blocks(blueprint):
        yield from layers


def cost(blueprint: Blueprint, counting: str = "core") -> Cost:
    """Return the exact cost of ``blueprint`` under a counting rule (``core``, ``fvcore``, ``pycls``)."""
    return total(network_layers(blueprint), counting)


def module_of(placed: PlacedBlock) -> nn.Module:
    """Build one placed block's module on the current default device."""
    return blocks.get(placed.kind)(placed.in_width, placed.out_width, placed.in_size, **placed.keywords)
