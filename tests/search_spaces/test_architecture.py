from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.architecture import Architecture, canonical_json, read_architecture
from search_spaces.errors import UsageError

VALUES = st.dictionaries(
    st.text(max_size=5), st.integers() | st.floats(allow_nan=False) | st.text(max_size=5), max_size=5
)


@given(VALUES)
def test_json_gives_back_what_it_was_made_of(values: dict[str, int | float | str]) -> None:
    architecture = Architecture("toy", '{"num_classes":3}', tuple(values.items()))
    assert read_architecture(architecture.to_json()) == ("toy", {"num_classes": 3}, values)


def test_the_key_is_the_hash_of_the_canonical_json() -> None:
    architecture = Architecture("toy", "{}", (("b", 2), ("a", 1)))
    assert architecture.to_json() == '{"knobs":{"a":1,"b":2},"settings":{},"space":"toy"}'
    assert architecture.key == hashlib.sha256(architecture.to_json().encode()).hexdigest()[:16]


def test_the_key_holds_space_settings_and_values() -> None:
    base = ("toy", "{}", (("a", 1),))
    others = [("other", "{}", (("a", 1),)), ("toy", '{"num_classes":3}', (("a", 1),)), ("toy", "{}", (("a", 2),))]
    assert len({Architecture(*each).key for each in [base, *others]}) == 4


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": [1, 2], "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":[1,2]}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the architecture is not JSON .*: expected keys space, settings, knobs"),
        ("[" * 100_000, "the architecture is not JSON .*: expected keys space, settings, knobs"),
        ("9" * 5_000, "the architecture is not JSON .*: expected keys space, settings, knobs"),
        ("[]", "the architecture lacks keys: expected .*space.*settings.*knobs"),
        ('{"space": "toy"}', "the architecture lacks keys: expected"),
        ('{"space": "toy", "knobs": [1]}', "the architecture lacks keys: expected"),
        (
            '{"space": "toy", "knobs": {}, "settings": [3]}',
            r"the architecture's settings are \[3\]: expected an object",
        ),
        ('{"space": "toy", "knobs": {}, "knob": 1}', "unknown key 'knob': allowed: space, settings, knobs"),
    ],
)
def test_text_that_is_no_architecture_is_an_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_architecture(text)
