import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.data.stratify import allocate, cut, sample
from nas.data.streams import stream
from search_spaces.errors import UsageError

NAMES = ("cat", "dog", "owl")


@given(st.lists(st.integers(4, 200), min_size=1, max_size=12), st.integers(0, 10_000))
def test_an_allocation_sums_to_the_total_within_its_bounds(counts, total):
    counts = np.array(counts)
    most = counts - 3
    total = len(counts) + total % (int(most.sum()) - len(counts) + 1)
    taken = allocate(counts, total, most)
    assert taken.sum() == total
    assert (taken >= 1).all()
    assert (taken <= most).all()


def test_an_allocation_is_proportional():
    assert allocate(np.array([10, 20, 70]), 10, np.array([9, 19, 69])).tolist() == [1, 2, 7]
    assert allocate(np.array([1, 1, 98]), 10, np.array([1, 1, 97])).tolist() == [1, 1, 8]


@given(st.lists(st.integers(4, 40), min_size=3, max_size=3), st.integers(0, 2**31))
def test_the_parts_are_disjoint_complete_and_hold_every_class(counts, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(3), counts))
    parts = cut(labels, NAMES, {"test": 3, "validation": 3, "calibration": 3}, "here", stream(seed))
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(labels)))
    assert [len(parts[name]) for name in ("test", "validation", "calibration")] == [3, 3, 3]
    for indices in parts.values():
        assert set(labels[indices].tolist()) == {0, 1, 2}


def test_the_seed_decides_the_parts():
    labels = np.repeat(np.arange(3), 30)
    first, again, other = (cut(labels, NAMES, {"test": 30}, "here", stream(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first["test"], again["test"])
    assert not np.array_equal(first["test"], other["test"])


def test_a_class_with_too_few_images_is_named():
    labels = np.array([0] * 20 + [1] * 3 + [2] * 20)
    with pytest.raises(UsageError, match=r"here: class 'dog' has 3: each class needs at least 4 images"):
        cut(labels, NAMES, {"test": 3, "validation": 3, "calibration": 3}, "here", stream(0))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"test": 2}, r"test_fraction makes test 2 images: allowed 3 \(one a class\) to 27 .*: raise it"),
        ({"calibration": 28}, r"calibration_images makes calibration 28 images: allowed 3 .* to 27 .*: lower it"),
        ({"test": 20, "calibration": 8}, r"calibration_images makes calibration 8 images: allowed 3 .* to 7 "),
    ],
)
def test_a_part_that_is_too_small_or_too_large_names_its_setting(sizes, message):
    with pytest.raises(UsageError, match=message):
        cut(np.repeat(np.arange(3), 10), NAMES, sizes, "here", stream(0))


def test_a_sample_keeps_the_shares_and_is_sorted():
    labels = np.repeat(np.arange(2), [100, 300])
    kept = sample(labels, 40, "here", stream(0))
    assert np.bincount(labels[kept]).tolist() == [10, 30]
    assert (np.diff(kept) > 0).all()


def test_a_sample_of_fewer_images_than_classes_is_refused():
    with pytest.raises(UsageError, match="max_images = 2 is fewer than the 3 classes"):
        sample(np.repeat(np.arange(3), 10), 2, "here", stream(0))
