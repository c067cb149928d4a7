"""Every registered block is nested: the small one of a pair is a part of the large one, wherever a knob can grow.

One pair a line. Settings that choose another function of the same weights (windows, groups, strides) are equal in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from search_spaces.block import blocks, module_of
from search_spaces.blocks.crossvit_stem import large_grid
from search_spaces.blueprint import PlacedBlock, Setting
from search_spaces.conv import Size
from search_spaces.layer_names import layer_names
from search_spaces.nas_wiring import wiring
from search_spaces.precision import has_weights
from search_spaces.testing_blocks import (
    Inputs,
    Placed,
    Value,
    check_names,
    check_nesting,
    images,
    place,
    place_head,
    pyramid,
    tokens,
)

Pair = tuple[Placed, Placed]
Choice = Setting | tuple[Setting, Setting]
CELL = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"
SIZE = (6, 5)


def cells(width: int, size: Size, generator: torch.Generator) -> Tensor:
    return torch.randn(2, size[0] * size[1], width, generator=generator)


def branches(width: int, size: Size, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Tokens of a small branch of half the width and of a large branch of 0.7 of the grid a side."""
    return tokens(width // 2, size, generator), tokens(width, large_grid(size, 0.7), generator)


def two_maps(width: int, size: Size, generator: torch.Generator) -> tuple[Tensor, ...]:
    return images(width, size, generator), images(width, size, generator)


def map_and_time(width: int, size: Size, generator: torch.Generator) -> tuple[Tensor, ...]:
    return images(width, size, generator), torch.rand(2, 1, generator=generator)


INPUTS: dict[str, Inputs] = {
    "cross_gating": two_maps,
    "time_layer_norm": map_and_time,
    "transformer": tokens,
    "relative_transformer": tokens,
    "token_head": tokens,
    "token_reduction": tokens,
    "map_head": cells,
    "crossvit": branches,
    "crossvit_head": branches,
    **dict.fromkeys(("counting_head", "embedding_head", "pem_head", "segmentation_head", "sub_pixel_head"), pyramid),
}


def pair(kind: str, ins: Choice, outs: Choice, size: Size = SIZE, /, **settings: Choice) -> Pair:
    """Return the small and the large block; a tuple gives a value of each, anything else is of both."""

    def of(value: Choice, index: int) -> Setting:
        return value[index] if isinstance(value, tuple) else value

    def one(index: int) -> PlacedBlock:
        own = {name: of(value, index) for name, value in settings.items()}
        return place(kind, int(of(ins, index)), int(of(outs, index)), size, **own)

    return one(0), one(1)


def cell_network(filters: int) -> list[PlacedBlock]:
    """Stem, two cells and head: between cells the channels are a concatenation, so that a cell alone has no prefix."""
    outputs = filters * len(wiring("nasnet_a", 1).outputs)
    return [
        place("nas_stem", 3, filters, SIZE, cell="nasnet_a", conv_width=filters, stride=1),
        place("nas_cell", filters, outputs, SIZE, cell="nasnet_a", prev_width=filters),
        place("nas_cell", outputs, outputs, SIZE, cell="nasnet_a", prev_width=filters),
        place("nas_head", outputs, 5, SIZE),
    ]


def head_pair(kind: str, outs: int, **settings: Choice) -> Pair:
    """Return a head over small maps of few and of many channels."""

    def one(index: int) -> PlacedBlock:
        own = {name: value[index] if isinstance(value, tuple) else value for name, value in settings.items()}
        return place_head(kind, (8, 16)[index], outs, (3, 2), **own)

    return one(0), one(1)


HEADS: dict[str, Choice] = {"heads": (1, 2), "head_dim": 8, "mlp_width": (8, 16)}
BOTH: dict[str, Choice] = {"small_head_dim": 4, "small_mlp_width": (4, 8), "small_depth": (1, 2), "large_depth": (1, 2)}
PAIRS: tuple[Pair, ...] = (
    pair("batch_norm_head", (6, 11), 5),
    pair("channel_mixer", (8, 16), (8, 16), expansion=(1.0, 2.0), norm="ibn", attention="ela", feed_forward="experts"),
    pair("conv_patch_embed", 3, (8, 16), (24, 16), stride=4, mid_width=(4, 6)),
    pair("conv_stem", 3, (8, 16), kernel=(3, 5), stride=2, activation="relu"),
    head_pair("counting_head", 2, decoder_width=8),
    pair("convnext", (8, 12), (8, 12), kernel=(5, 7), expansion=(2, 4)),
    pair("cross_scale_embed", 3, (16, 32), (16, 16), stride=4),
    pair("crossformer", (8, 16), (8, 16), (6, 6), bias_width=(4, 8), window=3, **HEADS),
    pair("crossformer", (8, 16), (16, 24), (6, 6), bias_width=(4, 8), window=3, far=True, stride=2, **HEADS),
    pair("cross_gating", (8, 16), (8, 16), (6, 6), window=(2, 2)),
    pair("crossvit", (8, 16), (8, 16), small_width=(4, 8), **HEADS, **BOTH),
    pair("crossvit_head", (8, 16), 5, small_width=(4, 8), grid_ratio=0.5),
    pair("crossvit_stem", 3, (8, 16), (24, 24), small_width=(4, 8)),
    pair("double_conv_stem", 3, (6, 10), stride=2),
    head_pair("embedding_head", 5),
    pair("early_conv_stem", 3, (8, 16), stride=4),
    pair("fbnet_block", (8, 16), (8, 24), kernel=(3, 5), expansion=(3, 6), stride=2),
    pair("fbnet_skip", (8, 16), (12, 24), stride=2),
    pair("fused_mbconv", (8, 16), (12, 24), kernel=(3, 5), expansion=(2, 4), stride=2),
    pair("hornet", (16, 24), (16, 24), order=(2, 2), kernel=(5, 7), expansion=(2, 4)),
    pair("hornet", (16, 48), (16, 48), (4, 5), order=3, expansion=(2, 4), global_filter=True),
    pair("hornet", (8, 12), (16, 24), (8, 9), order=2, stride=2, global_filter=True),
    pair("inception_head", (8, 12), 5, expand_width=(8, 16)),
    pair("inception_mixed", (8, 12), 41, variant="inception_c", hidden_ratio=(0.5, 1.0)),
    pair("inception_mixed", (8, 12), (41, 45), variant="mixed_7a", stride=2),
    pair("inception_residual", (8, 12), (8, 12), variant="block17", inner_width=(4, 6), scale=0.1),
    pair("inception_stem", 3, (12, 20), (75, 80), version="resnet_v2"),
    pair("layer_norm_head", (6, 11), 5, pooling="mean"),
    pair("lsconv", (8, 16), (8, 16), kernel=(5, 7), expansion=(2, 3)),
    pair("lsnet_attention", (8, 16), (8, 16), expansion=(1, 2)),
    pair("map_head", (8, 16), 5, **HEADS),
    pair("maxvit", (8, 16), (8, 16), (8, 8), window=4, expansion=(2, 3), **HEADS),
    pair("maxvit_head", (8, 12), 5, hidden_width=(8, 12)),
    pair("maxvit_stem", 3, (8, 12), stride=2),
    pair("mbconv", (8, 16), (8, 16), kernel=(3, 7), expansion=(3, 6), squeeze_excite=True),
    pair("mobile_head", (8, 16), 5, expand_width=(16, 24), mix_width=(12, 20)),
    pair("module_input", 3, 3),
    (cell_network(2), cell_network(4)),
    pair("nb201_cell", (8, 12), (8, 12), cell=CELL),
    pair("nb201_reduction", (8, 12), (16, 20), stride=2),
    pair("norm_head", (8, 12), 5),
    pair("norm_reduction", (8, 16), (12, 20), norm="gn", stride=2),
    pair("osa", (8, 16), (16, 24), mid_width=(4, 8), num_layers=3, attention="ese"),
    pair("osnet_block", (8, 16), (16, 24), streams=(2, 4), instance_norm="both"),
    pair("osnet_head", (8, 12), 5, feature_width=(8, 12)),
    pair("osnet_stem", 3, (8, 12), kernel=(3, 7), stride=4),
    pair("osnet_transition", (8, 12), (8, 12), stride=2),
    pair("patch_embed", 3, (8, 16), (8, 12), stride=4),
    pair("patch_norm_stem", 3, (6, 10), (8, 12), stride=4),
    head_pair("pem_head", 5, queries=4, decoder_width=(8, 16)),
    pair("pool_head", (8, 16), 5),
    pair("pool_stem", 3, (8, 16), kernel=7, stride=4),
    pair("pre_norm_mbconv", (8, 16), (8, 16), kernel=(3, 5), expansion=(2, 3)),
    pair("relative_transformer", (16, 24), (16, 24), heads=(1, 2), head_dim=8, mlp_ratio=(2.0, 4.0)),
    pair("repvgg_dw", (8, 16), (8, 16), expansion=(2, 3)),
    pair("residual_stem", 3, (8, 16), inner_width=(4, 8), middle=True, stride=2),
    pair("resnet_basic", (8, 16), (16, 24), bottleneck=(0.5, 1.0), stride=2),
    pair("resnet_bottleneck", (8, 16), (16, 24), bottleneck=(0.25, 0.5), stride=2),
    head_pair("segmentation_head", 5, decoder_width=8),
    pair("smt_attention", (8, 16), (8, 16), heads=(1, 2), expansion=(2, 4)),
    pair("smt_modulation", (16, 32), (16, 32), expansion=(2, 4)),
    pair("smt_stem", 3, (8, 16), (8, 12), kernel=3, stride=4),
    pair("sret", (8, 16), (8, 16), projection_width=(8, 16), loops=2, groups=3, later_groups=2, **HEADS),
    pair("sret_stem", 3, (8, 16), (16, 16), stride=4),
    head_pair("sub_pixel_head", 3, factor=2, hidden_width=8),
    pair("stem_slot", 3, (8, 16), (8, 8), stem="cross_scale", stride=4),
    pair("swin", (8, 16), (8, 16), (6, 6), window=3, shifted=True, **HEADS),
    pair("time_layer_norm", (8, 12), (8, 12)),
    pair("token_head", (8, 16), 5),
    pair("token_mixer", (16, 32), (16, 32), (6, 6), mixer="depthwise", norm="in", kernel=(3, 7)),
    pair("token_reduction", (8, 16), (16, 24), (6, 4)),
    pair("transformer", (8, 16), (8, 16), **HEADS),
    pair("triple_conv_stem", 3, (8, 16), (8, 8), stride=2),
    pair("unireplknet", (8, 16), (8, 16), kernel=(7, 13), expansion=(2, 4)),
    pair("unireplknet", (8, 12), (16, 24), kernel=3, expansion=(2, 4), stride=2),
    pair("unireplknet", (8, 16), (8, 16), kernel=(7, 13), expansion=(2, 4), merged=True),
    pair("vovnet_stem", 3, (8, 16), first_width=(4, 8), stride=2),
)


def kinds(placed: Placed) -> set[str]:
    return {placed.kind} if isinstance(placed, PlacedBlock) else {each.kind for each in placed}


def of_this_package(kind: str) -> bool:
    """Tests register blocks of their own."""
    return blocks.get(kind).__module__.startswith("search_spaces.blocks.")


@pytest.mark.parametrize("kind", [kind for kind in blocks.names() if of_this_package(kind)])
def test_block_is_nested(kind: str) -> None:
    found = [(small, large) for small, large in PAIRS if kind in kinds(small)]
    assert found, f"block {kind!r} has no nesting test: add a pair of it to PAIRS"
    for small, large in found:
        check_nesting(small, large, INPUTS.get(kind, images))


ONE_PRECISION = {"channel_mixer", "osnet_block", "pem_head", "sret"}
"""Their weighted layers are not a module each; of ``channel_mixer``, with the feed-forwards of PAIRS."""


@pytest.mark.parametrize("kind", [kind for kind in blocks.names() if of_this_package(kind)])
def test_layers_are_the_modules_of_their_names(kind: str) -> None:
    chains = [[placed] if isinstance(placed, PlacedBlock) else placed for pair in PAIRS for placed in pair]
    found = [(chain[:number], each) for chain in chains for number, each in enumerate(chain) if each.kind == kind]
    for before, each in found:
        check_names(each, after(before) if before else INPUTS.get(kind, images))
    named = any(layer_names(each) for _, each in found)
    assert named == (kind not in ONE_PRECISION and any(has_weights(each) for _, each in found))


def after(chain: Sequence[PlacedBlock]) -> Inputs:
    """What the blocks of ``chain`` give."""
    before = nn.Sequential(*map(module_of, chain)).eval()

    def given(_width: int, _size: Size, generator: torch.Generator) -> Value:
        found: Value = before(images(chain[0].in_width, chain[0].in_size, generator))
        return found

    return given
