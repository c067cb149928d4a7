from __future__ import annotations

import pytest

from experiments.config import make_config
from experiments.study_space import data_and_space, make_study_space
from nas.data.settings import DataSettings
from search_spaces.errors import UsageError


def config(**space):
    return make_config({"name": "a", "space": space}, "x")


def test_the_space_is_made_for_the_data() -> None:
    made = make_study_space(config(name="autoformer", form="small_image"), in_channels=2, num_outputs=7)
    blueprint = made.blueprint(made.smallest())
    assert (made.name, blueprint.in_channels, blueprint.num_classes) == ("autoformer", 2, 7)


def test_what_the_data_gives_may_be_said_too() -> None:
    given = config(name="ofa_mobilenet", form="small_image", in_channels=2, num_classes=7)
    assert make_study_space(given, 2, 7).settings.num_classes == 7


@pytest.mark.parametrize(("key", "given", "has"), [("in_channels", 3, 1), ("num_classes", 5, 10)])
def test_what_the_data_contradicts_is_refused(key, given, has) -> None:
    with pytest.raises(UsageError, match=f"space.{key} got {given}: the data has {has}; leave it out"):
        make_study_space(config(name="autoformer", form="small_image", **{key: given}), 1, 10)


def task_config(task: str, **space):
    space = {"name": "ofa_mobilenet", "form": "small_image", **space}
    return make_config({"name": "a", "task": {"name": task}, "augmentation": STILL, "space": space}, "x")


STILL = {"max_rotation_degrees": 0.0, "max_scale": 0.0}


def test_a_task_brings_its_head_and_keeps_the_images_shape() -> None:
    made = make_study_space(task_config("segmentation", resolutions=[12, 24]), 3, 4, (24, 32))
    blueprint = made.blueprint(made.largest())
    assert blueprint.head.blocks[0].kind == "segmentation_head"
    assert blueprint.resolution == (24, 32)
    assert made.blueprint(made.smallest()).resolution == (12, 16)


def test_a_resolution_that_a_task_can_not_take_is_named() -> None:
    config = task_config("super_resolution", resolutions=[12, 24])
    config = config.model_copy(update={"data": DataSettings(source="photographs", calibration_images=20)})
    with pytest.raises(UsageError, match=r"takes images of 24 x 32 \(height x width\), the data has 12 x 16, and task"):
        data_and_space(config)
