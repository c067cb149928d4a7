from __future__ import annotations

import pytest

from experiments.config import make_config
from experiments.study_space import make_study_space
from search_spaces.errors import UsageError


def config(**space):
    return make_config({"name": "a", "space": space}, "x")


def test_the_space_is_made_for_the_data() -> None:
    made = make_study_space(config(name="autoformer", form="small_image"), in_channels=2, num_classes=7)
    blueprint = made.blueprint(made.smallest())
    assert (made.name, blueprint.in_channels, blueprint.num_classes) == ("autoformer", 2, 7)


def test_what_the_data_gives_may_be_said_too() -> None:
    given = config(name="ofa_mobilenet", form="small_image", in_channels=2, num_classes=7)
    assert make_study_space(given, 2, 7).settings.num_classes == 7


@pytest.mark.parametrize(("key", "given", "has"), [("in_channels", 3, 1), ("num_classes", 5, 10)])
def test_what_the_data_contradicts_is_refused(key, given, has) -> None:
    with pytest.raises(UsageError, match=f"space.{key} got {given}: the data has {has}; leave it out"):
        make_study_space(config(name="autoformer", form="small_image", **{key: given}), 1, 10)
