from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.errors import UsageError
from search_spaces.knobs import Knob, check_knobs, count_architectures


@st.composite
def trees(draw: st.DrawFn) -> list[Knob]:
    """Up to five knobs, each under an earlier one or under none."""
    knobs: list[Knob] = []
    for number in range(draw(st.integers(1, 5))):
        values = tuple(range(draw(st.integers(1, 3))))
        parent = draw(st.sampled_from([None, *knobs]))
        if parent is None:
            knobs.append(Knob(f"k{number}", values))
        else:
            chosen = draw(st.sets(st.sampled_from(parent.values)))
            knobs.append(Knob(f"k{number}", values, True, parent.name, tuple(sorted(chosen))))
    return knobs


def listed(knobs: list[Knob]) -> set[tuple[tuple[str, object], ...]]:
    """Every architecture by brute force: the values of active knobs."""
    found = set()
    for combination in product(*(knob.values for knob in knobs)):
        active: dict[str, object] = {}
        for knob, value in zip(knobs, combination, strict=True):
            if not knob.parent or (knob.parent in active and active[knob.parent] in knob.parent_values):
                active[knob.name] = value
        found.add(tuple(active.items()))
    return found


@settings(max_examples=100)
@given(trees())
def test_the_number_of_architectures_is_what_enumeration_gives(knobs: list[Knob]) -> None:
    check_knobs(knobs)
    assert count_architectures(knobs) == len(listed(knobs))


@given(st.lists(st.integers(-50, 50), min_size=1, unique=True), st.integers(-60, 60))
def test_index_names_the_knob_the_value_and_what_is_allowed(values: list[int], asked: int) -> None:
    knob = Knob("stage1.kernel", tuple(sorted(values)))
    if asked in values:
        assert knob.values[knob.index(asked)] == asked
    else:
        with pytest.raises(UsageError) as caught:
            knob.index(asked)
        allowed = ", ".join(map(str, sorted(values)))
        assert str(caught.value) == f"knob 'stage1.kernel' got {asked}: allowed: {allowed}"


@pytest.mark.parametrize("values", [(), (1, 1), (1, 1.0)])
def test_no_value_or_one_twice_is_an_error(values: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"knob 'width' got values .*: give at least one, each once"):
        Knob("width", values)


@pytest.mark.parametrize("values", [(3, 2), ("small", "large"), (1, "large")])
def test_an_ordered_knob_lists_numbers_ascending(values: tuple[int | str, ...]) -> None:
    with pytest.raises(UsageError, match=r"knob 'width' got values .*: an ordered knob lists numbers, ascending"):
        Knob("width", values)
    assert Knob("operator", values, ordered=False).values == values


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ([Knob("a", (1,)), Knob("a", (1,))], "knob 'a' is declared twice: rename one of them"),
        ([Knob("a", (1,), True, "b", (1,)), Knob("b", (1,))], "knob 'a' has parent 'b': declare the parent before it"),
        ([Knob("b", (1, 2)), Knob("a", (1,), True, "b", (3,))], "knob 'b' got 3: allowed: 1, 2"),
    ],
)
def test_knobs_that_do_not_fit_together_are_an_error(knobs: list[Knob], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_knobs(knobs)
    assert str(caught.value) == message
