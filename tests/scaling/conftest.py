from __future__ import annotations

import pytest

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.layers import Cost


@pytest.fixture
def mobile() -> Blueprint:
    """A network as ``ofa_mobilenet`` makes them."""

    def block(kernel: int, expansion: int, stride: int) -> Block:
        return Block.of(
            "mbconv", kernel=kernel, expansion=expansion, stride=stride, squeeze_excite=True, activation="relu"
        )

    return Blueprint(
        "ofa_mobilenet",
        3,
        (224, 192),
        Stage("stem", 16, (Block.of("conv_stem", kernel=3, stride=2, activation="relu"),)),
        (
            Stage("stage1", 16, (block(3, 1, 1),)),
            Stage("stage2", 24, (block(3, 3, 2), block(5, 4, 1), block(7, 6, 1))),
            Stage("stage3", 40, (block(7, 6, 2),)),
        ),
        Stage("head", 10, (Block.of("mobile_head", expand_width=960, mix_width=1280, dropout=0.2),)),
    )


@pytest.fixture
def transformer() -> Blueprint:
    """A network as ``autoformer`` makes them."""
    blocks = tuple(
        Block.of("relative_transformer", heads=heads, head_dim=64, mlp_ratio=ratio)
        for heads, ratio in ((3, 3.5), (4, 4.0), (3, 4.0))
    )
    return Blueprint(
        "autoformer",
        3,
        (224, 224),
        Stage("stem", 192, (Block.of("patch_embed", stride=16),)),
        (Stage("stage1", 192, blocks),),
        Stage("head", 1000, (Block.of("token_head", pooling="mean"),)),
    )


@pytest.fixture
def toy_cost():
    """Count 3x3 convolutions of every block: enough of a cost for rules to act on."""

    def cost(blueprint: Blueprint) -> Cost:
        params = macs = activations = 0
        for placed in blueprint.placed():
            stride = int(placed.arguments.get("stride", 1))
            pixels = -(-placed.in_size[0] // stride) * -(-placed.in_size[1] // stride)
            weights = 9 * placed.in_width * placed.out_width
            params += weights
            macs += weights * pixels
            activations += placed.out_width * pixels
        return Cost(params, macs, activations, 4 * (params + activations))

    return cost
