"""Learning rates that transfer to a wider network: maximal update parametrisation (Yang et al. 2021, table 8).

Tune the rate on the base, train the scaled network with the base's rate times these multipliers. A parameter is told
by how many of its axes grow with the width: both (hidden), the outputs alone (input weights, depthwise kernels, biases,
norms) or the inputs alone (the readout). Depth does not transfer: the base is taken at the scaled network's depth, and
a rate tuned at another depth is outside the theory. Heads keep their channels, so that 1 / sqrt(head_dim) stays right.
A shared optimiser gives every width of a supernetwork one rate: there this says what is wrong, and repairs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from scaling.depth import with_depth
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError

Role = Literal["hidden", "vector", "readout"]
OF_THE_MAP = ("window", "stride", "large_patch")


@dataclass(frozen=True, slots=True)
class Multipliers:
    """What a parameter's settings are multiplied by, relative to the base network's.

    Attributes:
        role: ``hidden``, ``vector`` or ``readout``.
        init_std: standard deviation of the initial weights.
        forward: the layer's output.
        adam_lr: learning rate under Adam.
        sgd_lr: learning rate under SGD.
        adam_weight_decay: weight decay under Adam, where the learning rate multiplies it (AdamW).
    """

    role: Role
    init_std: float = 1.0
    forward: float = 1.0
    adam_lr: float = 1.0
    sgd_lr: float = 1.0
    adam_weight_decay: float = 1.0


class _Parameter(NamedTuple):
    """The shape of one, and whether it is the weight (outputs, inputs, ...) of a linear map or a convolution."""

    shape: tuple[int, ...]
    maps: bool


def multipliers(base: Blueprint, scaled: Blueprint) -> dict[str, Multipliers]:
    """Return the multipliers of each parameter of ``scaled``, a scaled ``base``, by name.

    Raises:
        UsageError: the two networks have other stages, or a block can't stand at the base's width.
    """
    before = _parameters(_narrow(base, scaled))
    return {name: _of(before.get(name, wide).shape, wide) for name, wide in _parameters(scaled).items()}


def _parameters(blueprint: Blueprint) -> dict[str, _Parameter]:
    import torch
    from torch import nn

    from search_spaces.block import module_of

    found: dict[str, _Parameter] = {}
    with torch.device("meta"):
        for placed in blueprint.placed():
            for path, owner in module_of(placed).named_modules():
                prefix = ".".join(part for part in (placed.name, placed.kind, path) if part)
                for name, parameter in owner.named_parameters(recurse=False):
                    maps = name == "weight" and isinstance(owner, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
                    found[f"{prefix}.{name}"] = _Parameter(tuple(parameter.shape), maps)
    return found


def _narrow(base: Blueprint, scaled: Blueprint) -> Blueprint:
    """Return ``scaled`` at the widths of ``base``: depths, images, patches and windows are those of ``scaled``."""
    if [stage.name for stage in base.stages] != [stage.name for stage in scaled.stages]:
        raise UsageError("learning rates transfer between networks of the same stages: give one and its scaled one")

    def narrow(stage: Stage, other: Stage) -> Stage:
        blocks = with_depth(stage.blocks, other.depth)
        return Stage(stage.name, stage.width, tuple(map(_on_the_map_of, blocks, other.blocks)))

    return replace(
        base,
        resolution=scaled.resolution,
        stem=narrow(base.stem, scaled.stem),
        stages=tuple(map(narrow, base.stages, scaled.stages)),
    )


def _on_the_map_of(block: Block, other: Block) -> Block:
    settings = dict(other.settings)
    return block.replace(**{name: settings[name] for name in OF_THE_MAP if name in settings})


def _of(base: tuple[int, ...], scaled: _Parameter) -> Multipliers:
    fan_out, fan_in = math.prod(scaled.shape) / math.prod(base), 1.0
    if scaled.maps:
        fan_out, fan_in = (scaled.shape[axis] / base[axis] for axis in (0, 1))
    if fan_in == 1:
        return Multipliers("vector", sgd_lr=fan_out)
    if fan_out == 1:
        return Multipliers("readout", forward=1 / fan_in, sgd_lr=fan_in)
    return Multipliers(
        "hidden", init_std=fan_in**-0.5, adam_lr=1 / fan_in, sgd_lr=fan_out / fan_in, adam_weight_decay=fan_in
    )
