from __future__ import annotations

from dataclasses import replace

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.mixers import mixers
from search_spaces.norm_names import NORM_NAMES
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

CONV_AND_ATTENTION = ("depthwise", "swin", "attention")


def small(**settings: object) -> SearchSpace:
    return space("hybrid", form="small_image", in_channels=1, num_classes=10, **settings)


def test_every_registered_mixer_is_a_choice_of_every_stage() -> None:
    found = small()
    for stage in range(1, 5):
        assert set(found.knobs[found.column[f"stage{stage}.mixer"]].values) == set(mixers.names())


def test_the_number_of_networks() -> None:
    """Of each stage: width, depth, (kernels of one mixer + windows of one + one), norms, 4 parts, 5 attentions, 2."""
    stage = 2 * 2 * (3 + 2 + 1) * len(NORM_NAMES) * 4 * 5 * 2
    assert small(mixers=CONV_AND_ATTENTION).size() == 3 * 2 * stage**4 * 3**3


def test_convolution_and_attention_stand_in_any_order() -> None:
    found = small(mixers=CONV_AND_ATTENTION)
    values = dict(found.smallest().values)
    for stage, mixer in enumerate(("attention", "depthwise", "swin", "depthwise"), start=1):
        values |= {f"stage{stage}.mixer": mixer, f"stage{stage}.kernel": 5, f"stage{stage}.window": 2}
    blueprint = found.blueprint(found.architecture(values))
    used = [
        [block.get("mixer", "") for block in stage.blocks if block.kind == "token_mixer"] for stage in blueprint.stages
    ]
    assert used == [["attention"], ["depthwise"], ["swin"], ["depthwise"]]
    assert [dict(stage.blocks[-2].settings).get("kernel") for stage in blueprint.stages] == [None, 5, None, 5]


def test_every_second_mixer_of_a_stage_is_shifted() -> None:
    found = small(mixers=("swin",))
    for stage in found.blueprint(found.largest()).stages:
        assert [block.get("shifted", "") for block in stage.blocks if block.kind == "token_mixer"] == [False, True]


def test_instance_norm_behind_a_stage_is_a_choice() -> None:
    """IBN-b."""
    found = small(mixers=("conv",))
    values = {**found.smallest().values, "stage2.entry_norm": "in"}
    (entry, *_) = found.blueprint(found.architecture(values)).stages[1].blocks
    assert (entry.kind, entry.get("norm", "")) == ("norm_reduction", "in")


def test_the_form_for_224_pixels() -> None:
    found = space("hybrid")
    ends = [cost(found.blueprint(end)) for end in (found.smallest(), found.largest())]
    assert ends[0].macs < ends[1].macs
    assert [placed.in_size for placed in found.blueprint(found.largest()).placed()][-1] == (7, 7)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("side", [16, 64])
def test_other_sides_and_numbers_of_channels(side: int, channels: int) -> None:
    found = space("hybrid", form="small_image", resolutions=(side,), patches=(2,), in_channels=channels, num_classes=3)
    blueprint = found.blueprint(found.largest())
    assert cost(blueprint).macs > 0
    assert cost(replace(blueprint, in_channels=channels + 1)).macs > cost(blueprint).macs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"resolutions": (24,), "patches": (4,), "mixers": ("depthwise", "swin")},
            r"space 'hybrid', stage 1 at resolution 24 and patch 4: token mixer 'swin' can't stand there: window 4 "
            r"does not divide the map 6x6: allowed: \[1, 2, 3, 6\]: choose other resolutions or patches, or leave",
        ),
        (
            {"resolutions": (8,), "patches": (2,)},
            "space 'hybrid', stage 3 at resolution 8 and patch 2: norm 'ibn' can't stand there: norm 'ibn' got a map "
            "of one cell",
        ),
        ({"resolutions": (30,), "patches": (4,)}, "space 'hybrid': patch 4 does not divide the resolution 30"),
        ({"mixers": ("swim",)}, "unknown token mixer 'swim': did you mean 'swin'"),
        ({"mixers": ()}, "space 'hybrid', setting 'mixers' got"),
        (
            {"patches": (3,), "resolutions": (24,), "mixers": ("conv",)},
            "space 'hybrid', stem 'conv' at resolution 24 and patch 3 can't stand there",
        ),
        ({"mixer": ("swin",)}, "mixers"),
    ],
)
def test_an_operator_that_a_stage_can_not_take_is_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small(**settings)
