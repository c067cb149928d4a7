from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.store.values import decode, differences, encode, status
from search_spaces.errors import UsageError

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_what_is_encoded_is_strict_json_and_comes_back(value: object) -> None:
    text = json.dumps(encode(value, "payload"), allow_nan=False)
    assert repr(decode(json.loads(text))) == repr(value)


@given(values)
def test_a_value_does_not_differ_from_itself_even_with_nan(value: object) -> None:
    assert list(differences(encode(value, "a"), encode(value, "a"))) == []


def test_tuples_come_back_as_lists() -> None:
    assert decode(encode({"a": (1, (2.5,))}, "payload")) == {"a": [1, [2.5]]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [1, {2}]}}, "payload.a.b[1] is of type set: give a str, int"),
        ({"a": {1: 2}}, "payload.a has the key 1: keys are strings"),
        (b"x", "payload is of type bytes"),
    ],
)
def test_what_is_no_json_is_refused_with_its_path(value: object, message: str) -> None:
    with pytest.raises(UsageError) as error:
        encode(value, "payload")
    assert message in str(error.value)


def test_status() -> None:
    assert [status(value) for value in (1.5, 3, math.nan, math.inf, -math.inf)] == [
        "finite",
        "finite",
        "nan",
        "inf",
        "-inf",
    ]


def test_differences_name_the_path_and_both_sides() -> None:
    stored = {"search": {"generations": 20, "seed": 1}, "bounds": [1, 2], "old": 1}
    given = {"search": {"generations": 30, "seed": 1}, "bounds": [1, 3], "new": "x" * 100}
    assert list(differences(stored, given)) == [
        "bounds: stored [1, 2], given [1, 3]",
        f"new: stored nothing, given '{'x' * 56}...",
        "old: stored 1, given nothing",
        "search.generations: stored 20, given 30",
    ]
