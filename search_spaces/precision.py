"""Precisions of weights and activations, and the policy that gives one to each block of a network.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (2018);
policies searched with the architecture: SimQ-NAS (arXiv 2312.13301). No torch here.

Weights are symmetric with one scale a channel; activations of ``int8`` are unsigned bytes with one scale and zero point
a tensor, from the calibration images. ``*_weights`` store the weights so and compute in float32. Every weighted layer
of a block (convolutions and linear maps) has the block's precision; all else computes in float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from search_spaces.block import block_layers
from search_spaces.blueprint import Block, Blueprint, PlacedBlock, Stage
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer

PrecisionName = Literal["int4_weights", "int8", "int8_weights", "bf16", "fp32"]

WEIGHTED = frozenset({"conv", "depthwise", "linear"})
SCALE_BYTES = 4
ZERO_POINT_BYTES = 1
BIAS_BYTES = 4


@dataclass(frozen=True, slots=True)
class Precision:
    """What a weighted layer computes with.

    Attributes:
        weight_bits: of each weight.
        activation_bits: of the layer's inputs and outputs.
        integer: whether weights are integers with one scale a channel.
    """

    weight_bits: int
    activation_bits: int
    integer: bool

    @property
    def is_integer_arithmetic(self) -> bool:
        """Whether products are of integers: inputs and outputs are quantised too."""
        return self.integer and self.activation_bits < 32


PRECISIONS: dict[PrecisionName, Precision] = {
    "int4_weights": Precision(4, 32, integer=True),
    "int8": Precision(8, 8, integer=True),
    "int8_weights": Precision(8, 32, integer=True),
    "bf16": Precision(16, 16, integer=False),
    "fp32": Precision(32, 32, integer=False),
}


def precision(name: str) -> Precision:
    """Return the precision called ``name``; an unknown one is an error that lists those known."""
    for known, found in PRECISIONS.items():
        if known == name:
            return found
    raise unknown("precision", name, PRECISIONS)


def is_weighted(layer: Layer) -> bool:
    """Return whether the layer multiplies by weights of its own, which a precision can be given to."""
    return layer.op in WEIGHTED and layer.params > 0


@lru_cache(maxsize=16_384)
def has_weights(placed: PlacedBlock) -> bool:
    """Return whether the block has a weighted layer."""
    return any(map(is_weighted, block_layers(placed)))


def policy_of(blueprint: Blueprint) -> dict[str, str]:
    """Return the precision of every block that has weights, by position, in order."""
    return {placed.name: placed.precision for placed in blueprint.placed() if has_weights(placed)}


def is_quantised(blueprint: Blueprint) -> bool:
    """Return whether any block has another precision than ``fp32``."""
    return any(block.precision != "fp32" for stage in blueprint.all_stages() for block in stage.blocks)


def with_policy(blueprint: Blueprint, policy: Mapping[str, str]) -> Blueprint:
    """Return the network with the precision that ``policy`` gives to the blocks it names; the others keep theirs.

    Raises:
        UsageError: a precision is unknown, or a position is not in the network or has no weights.
    """
    known = policy_of(blueprint)
    for name, given in policy.items():
        precision(given)
        if name not in known:
            placed = {each.name for each in blueprint.placed()}
            if name in placed:
                raise UsageError(f"the policy gives {name!r} the precision {given}: that block has no weights: drop it")
            raise unknown("block in the policy", name, known)
    names = iter([placed.name for placed in blueprint.placed()])

    def blocks(stage: Stage) -> tuple[Block, ...]:
        return tuple(replace(block, precision=policy.get(next(names), block.precision)) for block in stage.blocks)

    stages = [replace(stage, blocks=blocks(stage)) for stage in blueprint.all_stages()]
    return replace(blueprint, stem=stages[0], stages=tuple(stages[1:-1]), head=stages[-1])


def size_bytes(layers: Iterable[Layer]) -> int:
    """Return the bytes of a network's constants as they are exported, BatchNorm folded into the layer before it.

    Weights at their precision, four bytes a scale, bias and parameter of any other layer; in integer arithmetic also a
    byte a channel for the weights' zero points, and eight a bias for its scale and zero point. Two scales and zero
    points a layer of the activations, and shapes of reshapes, are not counted; tables that an exporter unrolls
    (relative positions) are counted as they are in the network.
    """
    return sum(map(_layer_bytes, layers))


def _layer_bytes(layer: Layer) -> int:
    found = precision(layer.precision)
    bias_bytes = 3 * BIAS_BYTES if found.is_integer_arithmetic else BIAS_BYTES
    if layer.op == "batch_norm":
        return layer.params // 2 * bias_bytes
    if not is_weighted(layer):
        return BIAS_BYTES * layer.params
    # Each output is a sum over the fan-in, and a channel has fan-in weights and perhaps a bias.
    fan_in, biases = layer.macs // layer.outputs, 1 if layer.bias else 0
    channels = layer.params // (fan_in + biases)
    scales = SCALE_BYTES * found.integer + ZERO_POINT_BYTES * found.is_integer_arithmetic
    # A channel's weights of 4 bits share bytes with its neighbours': the tensor as a whole is rounded up.
    return -(-channels * fan_in * found.weight_bits // 8) + channels * (scales + biases * bias_bytes)
