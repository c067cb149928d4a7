from __future__ import annotations

import copy
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from search_spaces.blueprint import Block, Stage, blueprint_from_dict
from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space


def test_blocks_are_placed_in_order_with_widths_and_sizes(toy: SearchSpace) -> None:
    placed = list(toy.blueprint(toy.largest()).placed())
    assert [each.name for each in placed] == ["stem", "stage1.block1", "stage1.block2", "stage1.block3", "head"]
    assert [(each.in_width, each.out_width) for each in placed] == [(2, 8), (8, 16), (16, 16), (16, 16), (16, 3)]
    assert [each.in_size for each in placed] == [(9, 7), (5, 4), (3, 2), (3, 2), (3, 2)]


@pytest.mark.parametrize("name", ["ofa_mobilenet", "autoformer"])
def test_json_gives_back_the_blueprint(name: str) -> None:
    found = space(name, form="small_image")
    for architecture in found.decode(found.sample(np.random.default_rng(0), 20)):
        blueprint = found.blueprint(architecture)
        assert blueprint_from_dict(json.loads(json.dumps(blueprint.to_dict()))) == blueprint


def test_a_block_is_a_value_that_can_be_changed_in_part() -> None:
    block = Block.of("mbconv", kernel=3, expansion=4)
    assert block == Block.of("mbconv", expansion=4, kernel=3)
    assert block.replace(kernel=5) == Block.of("mbconv", kernel=5, expansion=4)
    assert block.get("kernel", 1) == 3
    assert block.get("stride", 1) == 1
    assert Stage("stage1", 8, (block, block)).depth == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("stem"), "KeyError: 'stem'"),
        (lambda c: c.update(resolution=[9]), "ValueError: not enough values"),
        (lambda c: c.update(resolution=9), "TypeError"),
        (lambda c: c.update(in_channels="two"), "ValueError: invalid literal"),
        (lambda c: c.update(stages=3), "TypeError"),
        (lambda c: c["head"].update(blocks=["mbconv"]), "ValueError"),
        (lambda c: c["head"]["blocks"][0].pop("kind"), "KeyError: 'kind'"),
        (lambda c: c["head"]["blocks"][0].update(mix_width=[1]), r"setting 'mix_width' got \[1\]"),
    ],
)
def test_data_that_is_no_blueprint_is_an_error(toy: SearchSpace, change: object, message: str) -> None:
    content = copy.deepcopy(toy.blueprint(toy.largest()).to_dict())
    change(content)  # type: ignore[operator]
    with pytest.raises(UsageError, match=f"the blueprint can't be read .*{message}.*expected keys family, in_channels"):
        blueprint_from_dict(content)


def test_equal_blocks_are_one_object_and_hash_alike_in_another_process() -> None:
    block = Block.of("conv", stride=2, padded=True)
    assert Block.of("conv", stride=2, padded=True) is block
    assert Block.of("conv", stride=2, padded=1).settings[0][1] is not True
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        sent, made = pool.map(hash, (block, (block.kind, block.settings, block.precision)))
    assert sent == made
