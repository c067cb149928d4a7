from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiments.report.sample import sampled


def test_few_are_all_kept() -> None:
    assert sampled(3, 3) == [0, 1, 2]
    assert sampled(0, 3) == []


def test_of_many_the_ends_and_evenly_many_between_them_are_kept() -> None:
    assert sampled(101, 6) == [0, 20, 40, 60, 80, 100]
    assert sampled(101, 6, [7]) == [0, 7, 26, 51, 75, 100]
    assert sampled(10, 1, [3, 9]) == [3, 9]


@given(st.data(), st.integers(0, 300), st.integers(0, 300))
def test_what_must_not_be_missing_is_there_once_and_in_order(data: st.DataObject, total: int, limit: int) -> None:
    always = data.draw(st.sets(st.integers(0, total - 1))) if total else set()
    found = sampled(total, limit, always)
    assert found == sorted(set(found))
    assert always <= set(found) <= set(range(total))
    assert len(found) == min(total, max(limit, len(always)))
