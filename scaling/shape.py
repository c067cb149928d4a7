"""The shape of a network in three numbers that scaling rules multiply: depth, width, resolution.

Depth and width are geometric means over stages, so that a rule that multiplies every stage by d and w multiplies them
by d and w, whichever stage is the large one. A stage's width is the root of its parameters a block: it grows with
channels and with what is wider inside a block, expansions and bottlenecks.
"""

from __future__ import annotations

from math import exp, fsum, log

from search_spaces.block import block_layers
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layers import total

DIMENSIONS = ("depth", "width", "resolution")


def shape_of(blueprint: Blueprint) -> tuple[float, float, float]:
    """Return (depth, width, resolution): blocks a stage, root of parameters a block, mean side in pixels.

    Raises:
        UsageError: the network has no stage with parameters.
    """
    depths = {stage.name: stage.depth for stage in blueprint.stages}
    params = dict.fromkeys(depths, 0)
    for placed in blueprint.placed():
        stage = placed.name.partition(".")[0]
        if stage in params:
            params[stage] += total(block_layers(placed)).params
    used = [name for name in depths if params[name]]
    if not used:
        raise UsageError(f"this {blueprint.family!r} network has no stage with parameters: it has no depth or width")
    height, width = blueprint.resolution
    return (
        exp(fsum(log(depths[name]) for name in used) / len(used)),
        exp(fsum(log(params[name] / depths[name]) / 2 for name in used) / len(used)),
        (height * width) ** 0.5,
    )
