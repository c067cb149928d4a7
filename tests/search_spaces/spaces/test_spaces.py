from __future__ import annotations

import pytest

from search_spaces.errors import UsageError
from search_spaces.spaces import load_architecture, space, spaces


def test_both_families_are_registered() -> None:
    assert {"autoformer", "ofa_mobilenet"} <= set(spaces.names())


def test_an_unknown_space_lists_close_ones() -> None:
    with pytest.raises(
        UsageError, match=r"unknown space 'ofa_mobilenets': did you mean 'ofa_mobilenet'.*allowed: alphanet, autofor"
    ):
        space("ofa_mobilenets")


@pytest.mark.parametrize("name", ["autoformer", "ofa_mobilenet"])
def test_an_architectures_text_is_enough_to_have_its_space(name: str) -> None:
    made = space(name, form="small_image", in_channels=1, num_classes=10)
    found, architecture = load_architecture(made.largest().to_json())
    assert architecture == made.largest()
    assert architecture.key == made.largest().key
    assert found.settings == made.settings
    assert found.blueprint(architecture) == made.blueprint(made.largest())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"space": "autoforme", "knobs": {}}', "unknown space 'autoforme': did you mean 'autoformer'"),
        ('{"space": "autoformer", "settings": {"form": "huge"}, "knobs": {}}', "setting 'form' got 'huge'"),
        ('{"space": "autoformer", "knobs": {"width": 200}}', "knob 'width' got 200: allowed: 192, 216, 240"),
    ],
)
def test_texts_that_name_what_there_is_not(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_architecture(text)
