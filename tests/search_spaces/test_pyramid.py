"""Heads that read the outputs of the stages: what they are given, alone and inside the shared weights."""

from __future__ import annotations

import pytest
import torch

from search_spaces.blueprint import Block, Blueprint, Level, Stage, blueprint_from_dict
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.pyramid import Fusion, as_map, resized
from search_spaces.spaces import space


def conv(stride: int) -> Block:
    return Block.of("conv_stem", kernel=3, stride=stride, activation="relu")


def network(*strides: tuple[int, ...], stem: int = 1) -> Blueprint:
    stages = tuple(Stage(f"stage{n}", 8 * n, tuple(map(conv, each))) for n, each in enumerate(strides, start=1))
    head = Stage("head", 5, (Block.of("segmentation_head", pyramid=True, decoder_width=8),))
    return Blueprint("toy", 3, (13, 10), Stage("stem", 4, (conv(stem),)), stages, head)


def levels(blueprint: Blueprint) -> tuple[Level, ...]:
    return list(blueprint.placed())[-1].levels


def test_levels_are_the_image_and_the_last_stage_of_each_resolution() -> None:
    found = levels(network((2, 1), (1,), (2,)))
    assert found == (
        Level("image", 3, (13, 10)),
        Level("stem", 4, (13, 10)),
        Level("stage2", 16, (7, 5)),
        Level("stage3", 24, (4, 3)),
    )


def test_a_stage_of_the_stems_resolution_stands_for_it_and_an_empty_one_for_none() -> None:
    assert [level.name for level in levels(network((1,), (), (2,), stem=2))] == ["image", "stage1", "stage3"]


def test_blocks_that_read_their_input_alone_have_no_levels() -> None:
    found = space("ofa_mobilenet", form="small_image")
    assert all(not placed.levels for placed in found.blueprint(found.largest()).placed())


def test_a_blueprint_with_such_a_head_goes_through_json() -> None:
    blueprint = network((2,), (2,))
    assert blueprint_from_dict(blueprint.to_dict()) == blueprint


def test_the_head_is_given_what_the_stages_gave() -> None:
    module = build(network((2, 1), (2,)))
    image = torch.randn(2, 3, 13, 10)
    logits, given = module.with_features(image)
    assert logits.shape == (2, 5, 13, 10)
    assert [tuple(one.shape[1:]) for one in given] == [(3, 13, 10), (4, 13, 10), (8, 7, 5), (16, 4, 3)]
    assert torch.equal(given[0], image)
    assert torch.equal(given[-1], module.features(image))


def test_tokens_become_their_grid_without_the_others_before_them() -> None:
    cells = torch.randn(2, 3, 4, 5)
    tokens = torch.cat([torch.full((2, 2, 3), 9.0), cells.flatten(2).transpose(1, 2)], 1)
    level = Level("stage1", 3, (4, 5))
    assert torch.equal(as_map(tokens, level), cells)
    assert as_map(cells, level) is cells


@pytest.mark.parametrize("given", [(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)), torch.zeros(1, 19, 3)])
def test_what_is_no_map_is_named(given: torch.Tensor) -> None:
    with pytest.raises(UsageError, match="stage1 gives no map of 4 x 5: a head over the pyramid needs a backbone"):
        as_map(given, Level("stage1", 3, (4, 5)))


def test_a_map_of_the_asked_size_is_not_resized() -> None:
    x = torch.randn(1, 2, 4, 5)
    assert resized(x, (4, 5)) is x
    assert resized(x, (8, 5)).shape == (1, 2, 8, 5)


def test_fusion_of_one_level_is_its_lateral_alone() -> None:
    fusion = Fusion((Level("image", 3, (8, 8)), Level("stage1", 4, (4, 4))), 6).eval()
    x = torch.randn(2, 4, 4, 4)
    assert torch.equal(fusion((torch.zeros(2, 3, 8, 8), x)), torch.relu(fusion.lateral["stage1"](x)))
