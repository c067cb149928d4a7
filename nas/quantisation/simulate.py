"""A quantised network simulated in PyTorch: every value that an integer kernel would round is rounded, in float32.

What is exported (``nas.export.quantised_onnx``) computes the same: the two are compared on the test images of every
export. Differences are left where a sum of float32 products falls on the other side of a rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nas.quantisation.fold import folded
from nas.quantisation.scheme import Range, channel_scales, round_bfloat16, round_bias, round_weights
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layer_names import QUANTISABLE
from search_spaces.precision import Precision, policy_of, precision


def weighted_modules(network: nn.Module, blueprint: Blueprint) -> dict[str, Precision]:
    """Return the precision of each module with weights, by its name in ``network``, where it is not float32.

    Raises:
        UsageError: a precision is unknown, or a block that has one a layer has no modules for them.
    """
    policy = {name: precision(given) for name, given in policy_of(blueprint).items() if given != "fp32"}
    found = {}
    for name, module in network.named_modules():
        if isinstance(module, QUANTISABLE):
            # The policy names the module itself, or the block that holds it.
            given = next((each for each in policy if f"{name}.".startswith(f"{each}.")), None)
            if given is not None:
                found[name] = policy[given]
    return found


@dataclass(frozen=True)
class LayerRanges:
    """The ranges around one layer.

    Attributes:
        inputs: of what it reads.
        outputs: of what it gives; None for a linear map of tokens, whose product stays in float32 for the bias that is
            added after it.
    """

    inputs: Range
    outputs: Range | None


@torch.no_grad()
def calibrated_ranges(network: nn.Module, names: Sequence[str], batches: Sequence[Tensor]) -> dict[str, LayerRanges]:
    """Return the ranges around the modules called ``names`` over the calibration images.

    Args:
        network: folded, in float32.
        names: of its modules.
        batches: prepared images, (n, channels, height, width) each, at least one.
    """
    ends: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in names}
    of_tokens = set()

    def watch(name: str) -> Any:
        def note(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            (low_in, high_in), (low_out, high_out) = inputs[0].aminmax(), output.aminmax()
            ends[name].append((float(low_in), float(high_in), float(low_out), float(high_out)))
            if isinstance(module, nn.Linear) and inputs[0].ndim > 2:
                of_tokens.add(name)

        return note

    hooks = [network.get_submodule(name).register_forward_hook(watch(name)) for name in names]
    for batch in batches:
        network(batch)
    for hook in hooks:
        hook.remove()
    found = {}
    for name, rows in ends.items():
        low_in, high_in, low_out, high_out = zip(*rows, strict=True)
        outputs = None if name in of_tokens else Range(min(low_out), max(high_out))
        found[name] = LayerRanges(Range(min(low_in), max(high_in)), outputs)
    return found


@torch.no_grad()
def simulated(network: nn.Module, blueprint: Blueprint, calibration: Sequence[Tensor]) -> nn.Module:
    """Return a copy of ``network`` that computes as its quantised form does, by the precisions of ``blueprint``.

    Args:
        network: the plain module of ``blueprint``, in float32 with BatchNorm statistics.
        blueprint: says the precision of each block or layer.
        calibration: prepared images, (n, channels, height, width) each, on the network's device.

    Raises:
        UsageError: a precision is unknown, or there is no calibration image.
    """
    if not sum(len(batch) for batch in calibration):
        raise UsageError("quantisation got 0 calibration images: give at least 1: see data.calibration_images")
    found = folded(network, calibration[0][:1])
    modules = weighted_modules(found, blueprint)
    integer = [name for name, each in modules.items() if each.is_integer_arithmetic]
    ranges = calibrated_ranges(found, integer, calibration) if integer else {}
    for name, each in modules.items():
        _quantise(found.get_submodule(name), each, ranges.get(name))
    return found


def _quantise(module: Any, each: Precision, ranges: LayerRanges | None) -> None:
    """Round the weights of ``module``, and what it reads and gives in each forward pass."""
    if ranges is not None:
        _round_inputs(module, ranges.inputs.round)
        if ranges.outputs is not None:
            _round_outputs(module, ranges.outputs.round)
            if module.bias is not None:
                scales = channel_scales(module.weight, each.weight_bits)
                module.bias = nn.Parameter(round_bias(module.bias, ranges.inputs.scale, scales))
    elif each.activation_bits == 16:
        _round_inputs(module, round_bfloat16)
    weights = round_weights(module.weight, each.weight_bits) if each.integer else round_bfloat16(module.weight)
    module.weight = nn.Parameter(weights)


def _round_inputs(module: nn.Module, rounding: Callable[[Tensor], Tensor]) -> None:
    module.register_forward_pre_hook(lambda _, inputs: (rounding(inputs[0]),))


def _round_outputs(module: nn.Module, rounding: Callable[[Tensor], Tensor]) -> None:
    module.register_forward_hook(lambda _, __, output: rounding(output))
