"""The contract checks pass on sound spaces and say what is wrong with broken ones."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from search_spaces import testing
from search_spaces.block import blocks
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space


def test_a_space_with_categorical_operators_keeps_the_contract(toy: SearchSpace) -> None:
    testing.check_space(toy, num=40)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ofa_mobilenet", {"form": "small_image", "in_channels": 1, "num_classes": 10}),
        ("ofa_mobilenet", {"form": "small_image", "resolutions": (8, 12), "width_multipliers": (0.75, 1.25)}),
        ("ofa_mobilenet", {"form": "small_image", "resolutions": (64,), "num_classes": 2}),
        ("autoformer", {"form": "small_image", "in_channels": 1, "num_classes": 10}),
        ("autoformer", {"form": "small_image", "relative": False, "resolution": 8, "patch": 2}),
        ("autoformer", {"form": "small_image", "widths": (16, 24), "depths": (1, 2), "heads": (1, 2)}),
    ],
)
def test_small_forms_keep_the_contract(name: str, settings: dict[str, object]) -> None:
    testing.check_space(space(name, **settings), num=6)


def test_a_wrong_size_is_found(toy: SearchSpace) -> None:
    class Wrong(type(toy)):  # type: ignore[misc]
        def size(self) -> int:
            return super().size() + 1

    with pytest.raises(AssertionError, match=r"size\(\) is \d+, by enumeration \d+"):
        testing.check_size(Wrong(toy.settings))


def test_a_position_that_leaves_out_a_knob_is_found(toy: SearchSpace) -> None:
    class Wrong(type(toy)):  # type: ignore[misc]
        def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
            return {**super().position_knobs(), "stage1.block1": ("block1.operator", "block1.expansion")}

    with pytest.raises(AssertionError, match="see position_knobs"):
        testing.check_costs(Wrong(toy.settings), num=20)


def test_an_ordered_operator_leaves_tensors_uncovered(toy: SearchSpace) -> None:
    class Wrong(type(toy)):  # type: ignore[misc]
        def make_knobs(self) -> list[object]:
            knobs = list(super().make_knobs())
            return [
                k if k.ordered else type(k)(k.name, (k.values[0],), False, k.parent, k.parent_values) for k in knobs
            ]

    shared = SharedWeights(Wrong(toy.settings))
    shared.space = toy
    with pytest.raises(UsageError, match=r"parameter 'stage1\.block\d\.conv_stem\..*' .* is not covered"):
        testing.check_covering(shared)


def test_a_block_that_keeps_a_constant_is_found(toy: SearchSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    stem = blocks.get("conv_stem")

    class Constant(stem):  # type: ignore[misc,valid-type]
        def __init__(self, *args: object, **settings: object) -> None:
            super().__init__(*args, **settings)
            self.offset = torch.ones(())

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + self.offset

    monkeypatch.setitem(blocks._entries, "conv_stem", Constant)
    with pytest.raises(AssertionError, match=r"conv_stem keeps constant \.offset: make it in forward"):
        testing.check_outputs(SharedWeights(toy), num=1)


def test_example_is_channels_last_and_repeats() -> None:
    stem, head = (Stage(name, 8, (Block.of("conv_stem"),)) for name in ("stem", "head"))
    blueprint = Blueprint("toy", 3, (6, 5), stem, (), head)
    one = testing.example(blueprint, 4, seed=1)
    assert one.shape == (4, 3, 6, 5)
    assert one.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(one, testing.example(blueprint, 4, seed=1))
