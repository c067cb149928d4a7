from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest

from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.staged import BlockValues, StagedForm, StagedSettings, StagedSpace
from search_spaces.testing import check_encoding, check_operators, check_size

EVEN = {"expansion": (1, 2)}
ODD = {"kernel": (3, 5), "expansion": (2,)}
FORMS = {
    "plain": StagedForm((8, 12), (16,), ((0, 1, 2), (1, 3)), ((EVEN,), (EVEN, ODD)), 4, 8, frozenset({"kernel"})),
}


class PlainSettings(StagedSettings):
    form: Literal["plain"] = "plain"


class PlainSpace(StagedSpace):
    name = "plain"
    forms = FORMS
    Settings = PlainSettings

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        def block(values: BlockValues) -> Block:
            return Block.of("mbconv", kernel=int(values.get("kernel", 3)), expansion=values["expansion"])

        return Blueprint(
            family=self.name,
            in_channels=self.settings.in_channels,
            resolution=(resolution, resolution),
            stem=Stage("stem", width, (Block.of("patch_norm_stem", stride=4),)),
            stages=tuple(
                Stage(f"stage{number}", width, tuple(map(block, blocks)))
                for number, blocks in enumerate(stages, start=1)
                if blocks
            ),
            head=Stage("head", self.settings.num_classes, (Block.of("layer_norm_head"),)),
        )


def made(settings: dict[str, object]) -> PlainSpace:
    checked = PlainSpace.read_settings(settings)
    assert isinstance(checked, PlainSettings)
    return PlainSpace(checked)


@pytest.fixture(scope="module")
def plain() -> PlainSpace:
    return PlainSpace(PlainSettings())


def test_the_knobs_follow_the_form(plain: PlainSpace) -> None:
    assert {knob.name: (knob.values, knob.ordered, knob.parent_values) for knob in plain.knobs} == {
        "resolution": ((8, 12), True, ()),
        "width": ((16,), True, ()),
        "stage1.depth": ((0, 1, 2), True, ()),
        "stage2.depth": ((1, 3), True, ()),
        "stage1.block1.expansion": ((1, 2), True, (1, 2)),
        "stage1.block2.expansion": ((1, 2), True, (2,)),
        "stage2.block1.expansion": ((1, 2), True, (1, 3)),
        "stage2.block2.kernel": ((3, 5), False, (3,)),
        "stage2.block2.expansion": ((2,), True, (3,)),
        "stage2.block3.expansion": ((1, 2), True, (3,)),
    }


def test_the_space_is_sound(plain: PlainSpace) -> None:
    assert plain.size() == 2 * (1 + 2 + 4) * (2 + 2 * 2 * 2)
    check_size(plain)
    check_encoding(plain, 20)
    check_operators(plain, 20)


def test_the_blocks_take_their_choices_in_turn(plain: PlainSpace) -> None:
    largest = plain.blueprint(plain.largest())
    assert [[dict(block.settings) for block in stage.blocks] for stage in largest.stages] == [
        [{"kernel": 3, "expansion": 2}] * 2,
        [{"kernel": 3, "expansion": 2}, {"kernel": 5, "expansion": 2}, {"kernel": 3, "expansion": 2}],
    ]
    smallest = plain.blueprint(plain.smallest())
    assert [stage.name for stage in smallest.stages] == ["stage2"]


def test_every_position_of_the_largest_network_has_its_knobs(plain: PlainSpace) -> None:
    placed = [block.name for block in plain.blueprint(plain.largest()).placed()]
    assert sorted(plain.position_knobs()) == sorted(placed)
    assert plain.position_knobs()["stage2.block2"] == (
        "resolution",
        "width",
        "stage2.block2.kernel",
        "stage2.block2.expansion",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (8, 10)}, "space 'plain', setting 'resolutions' got 10: allowed: multiples of 4"),
        ({"resolutions": ()}, r"setting 'resolutions' got \(\)"),
        ({"widths": (16, 20)}, "space 'plain', setting 'widths' got 20: allowed: multiples of 8"),
        ({"widths": (0,)}, "setting 'widths.0' got 0: .*greater than 0"),
        ({"form": "round"}, "setting 'form' got 'round'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(settings)


def test_settings_replace_what_the_form_gives() -> None:
    found = PlainSpace(PlainSettings(resolutions=(16,), widths=(8, 24)))
    assert [knob.values for knob in found.knobs[:2]] == [(16,), (8, 24)]
