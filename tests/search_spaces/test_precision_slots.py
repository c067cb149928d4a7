"""What has a precision of its own, and exactly when: held against the networks themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob
from search_spaces.layer_names import layer_names
from search_spaces.precision import has_weights
from search_spaces.precision_slots import Slot, block_slots, layer_slots
from search_spaces.space import SearchSpace
from search_spaces.spaces import space


def small(family: str) -> SearchSpace:
    return space(family, form="small_image", in_channels=1, num_classes=10)


# Operators, depths, transformers, kernels with branches, shared weights, groups that exclude each other, shortcuts.
@pytest.mark.parametrize("family", ["fbnet", "ofa_mobilenet", "swin", "unireplknet", "osnet", "regnet", "ofa_resnet"])
def test_layers_stand_where_their_knob_says(family: str) -> None:
    found = small(family)
    slots = layer_slots(found)
    for architecture in found.decode(found.sample(np.random.default_rng(0), 60)):
        values = architecture.values
        expected = {name for name, slot in slots.items() if not slot.parent or values.get(slot.parent) in slot.values}
        standing = set[str]()
        for placed in found.blueprint(architecture).placed():
            standing.update([placed.name] if placed.name in slots and has_weights(placed) else [])
            standing.update([] if placed.name in slots else layer_names(placed))
        assert standing == expected


def test_the_layers_of_a_block_by_hand() -> None:
    slots = layer_slots(small("ofa_mobilenet"))
    paths = ("expand.conv", "depthwise.conv", "squeeze_excite.reduce", "squeeze_excite.expand", "project.conv")
    found = {name: slot for name, slot in slots.items() if slot.position == "stage3.block2"}
    expected = Slot("stage3.block2", "stage3.depth", (2, 3))
    assert list(found.items()) == [(f"stage3.block2.mbconv.{path}", expected) for path in paths]
    assert slots["head.mobile_head.classifier"] == Slot("head")


def test_a_layer_that_an_option_lacks_stands_by_the_option() -> None:
    slots = layer_slots(small("ofa_resnet"))
    assert slots["stem.residual_stem.middle.conv"] == Slot("stem", "stem.middle", (1,))
    # Whether the shortcut has a convolution is a matter of two widths.
    assert slots["stage3.block1"] == Slot("stage3.block1")


def test_weights_that_are_used_twice_keep_the_blocks_precision() -> None:
    slots = layer_slots(small("osnet"))
    assert slots["stage1.block1"] == Slot("stage1.block1")
    assert not any(name.startswith("stage1.block1.") for name in slots)
    assert any(name.startswith("stem.") for name in slots)


def test_a_layer_that_two_knobs_decide_on_leaves_its_block_one_precision() -> None:
    """RegNet's second block: whether its groups are of 4 channels is a matter of the depth and of the group width."""
    found = small("regnet")
    slots = layer_slots(found)
    assert slots["stage1.block2"] == block_slots(found)["stage1.block2"]
    assert "stage1.block1.resnet_bottleneck.grouped4.conv" in slots


def test_a_block_that_two_knobs_decide_on_is_an_error(toy: SearchSpace) -> None:
    class Either(type(toy)):  # type: ignore[misc]
        """The second block stands at depth 2 and more, unless a switch takes it out."""

        def make_knobs(self) -> list[Knob]:
            return [*super().make_knobs(), Knob("short", (0, 1))]

        def blueprint(self, architecture: Architecture) -> Blueprint:
            found: Blueprint = super().blueprint(architecture)
            [stage] = found.stages
            return (
                found
                if architecture.values["short"]
                else replace(found, stages=(replace(stage, blocks=stage.blocks[:1]),))
            )

    with pytest.raises(UsageError, match=r"depth, short together decide whether stage1\.block[23] stands"):
        layer_slots(Either(toy.settings))
