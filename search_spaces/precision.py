"""Precisions of weights and activations, and the policy that gives them to the blocks or layers of a network.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (2018);
policies searched with the architecture, one precision a layer: SimQ-NAS (arXiv 2312.13301). No torch here.

Weights are symmetric with one scale a channel; activations of ``int8`` are unsigned bytes with one scale and zero point
a tensor, from the calibration images. ``*_weights`` store the weights so and compute in float32. A weighted layer is a
convolution or a linear map: those of a block have one precision, or each its own; all else computes in float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from search_spaces.block import check_precisions, plain_layers
from search_spaces.blueprint import Block, Blueprint, PlacedBlock, Precisions, Stage
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer, is_weighted, weighted_groups

PrecisionName = Literal["int4_weights", "int8", "int8_weights", "bf16", "fp32"]

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


@lru_cache(maxsize=16_384)
def has_weights(placed: PlacedBlock) -> bool:
    """Return whether the block has a weighted layer."""
    return any(map(is_weighted, plain_layers(placed)))


def policy_of(blueprint: Blueprint) -> dict[str, str]:
    """Return the precision of everything that has weights, in order.

    By position for a block of one precision (``stage2.block1``), else by the layer's name in the network
    (``stage2.block1.mbconv.expand.conv``).
    """
    found: dict[str, str] = {}
    for placed in blueprint.placed():
        if isinstance(placed.precision, str):
            found.update({placed.name: placed.precision} if has_weights(placed) else {})
        else:
            found.update(zip(_named_layers(placed), placed.precision, strict=True))
    return found


def is_quantised(blueprint: Blueprint) -> bool:
    """Return whether any layer has another precision than ``fp32``."""
    return any(block.precision != "fp32" for stage in blueprint.all_stages() for block in stage.blocks)


def with_policy(blueprint: Blueprint, policy: Mapping[str, str]) -> Blueprint:
    """Return the network with the precisions that ``policy`` gives to blocks and layers; others keep theirs.

    Raises:
        UsageError: a precision is unknown, or a name is no position or layer of the network, or has no weights.
    """
    for given in policy.values():
        precision(given)
    placed = list(blueprint.placed())
    found = [_precisions(each, policy) for each in placed]
    left = set(policy).difference(*(used for _, used in found))
    if left:
        raise _not_there(next(name for name in policy if name in left), policy, placed)
    chosen = iter([given for given, _ in found])

    def blocks(stage: Stage) -> tuple[Block, ...]:
        return tuple(replace(block, precision=next(chosen)) for block in stage.blocks)

    stages = [replace(stage, blocks=blocks(stage)) for stage in blueprint.all_stages()]
    return replace(blueprint, stem=stages[0], stages=tuple(stages[1:-1]), head=stages[-1])


def _precisions(placed: PlacedBlock, policy: Mapping[str, str]) -> tuple[Precisions, set[str]]:
    """Return what ``policy`` makes of the block's precisions, and which of its names speak of the block."""
    within = {name for name in policy if name.startswith(f"{placed.name}.")}
    given: Precisions = placed.precision
    if placed.name in policy and has_weights(placed):
        within.add(placed.name)
        given = policy[placed.name]
    layers = within - {placed.name}
    if not layers:
        return given, within
    names = _named_layers(placed)
    each = (given,) * len(names) if isinstance(given, str) else given
    return tuple(policy.get(name, old) for name, old in zip(names, each, strict=True)), within & {placed.name, *names}


def _named_layers(placed: PlacedBlock) -> tuple[str, ...]:
    """Return the names of the weighted layers; UsageError where they have none and the block keeps one precision."""
    from search_spaces.layer_names import layer_names

    names = layer_names(placed)
    if not names and has_weights(placed):
        raise UsageError(
            f"block {placed.name!r} ({placed.kind}) can't have a precision a layer: its weighted layers are not a "
            "module each: give it one precision"
        )
    check_precisions(placed, len(names))
    return names


def _not_there(name: str, policy: Mapping[str, str], placed: Iterable[PlacedBlock]) -> UsageError:
    by_name = {each.name: each for each in placed}
    if name in by_name:
        return UsageError(f"the policy gives {name!r} the precision {policy[name]}: that block has no weights: drop it")
    known = [each.name for each in by_name.values() if has_weights(each)]
    for each in by_name.values():
        if name.startswith(f"{each.name}."):
            known += _named_layers(each)
    return unknown("block or layer in the policy", name, known)


def with_layers_counted(blueprint: Blueprint) -> Blueprint:
    """Return the network with one precision, the one of most bits, in blocks that lack a precision for each layer.

    A scaling rule may add or drop a layer (the convolution of a shortcut, where widths differ) of a block that has one
    precision a layer.
    """
    if all(isinstance(block.precision, str) for stage in blueprint.all_stages() for block in stage.blocks):
        return blueprint
    policy = {}
    for placed in blueprint.placed():
        if isinstance(placed.precision, str):
            continue
        if len(weighted_groups(plain_layers(placed))) != len(placed.precision):
            policy[placed.name] = max(placed.precision, key=lambda name: precision(name).weight_bits)
    return with_policy(blueprint, policy)


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
    # The bias of a linear map of tokens is added to its product in float32.
    if layer.op == "linear" and layer.outputs > channels:
        bias_bytes = BIAS_BYTES
    scales = SCALE_BYTES * found.integer + ZERO_POINT_BYTES * found.is_integer_arithmetic
    # A channel's weights of 4 bits share bytes with its neighbours': the tensor as a whole is rounded up.
    return -(-channels * fan_in * found.weight_bits // 8) + channels * (scales + biases * bias_bytes)
