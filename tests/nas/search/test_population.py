import numpy as np
from toy_search import toy_space

from nas.search.population import SeenRows, all_rows, sample_new, sample_spread


def test_all_rows_are_the_whole_space_once():
    for num_blocks in (1, 2, 3):
        space = toy_space(num_blocks)
        rows = all_rows(space)
        assert len(rows) == space.size() == len(np.unique(rows, axis=0))
        np.testing.assert_array_equal(space.canonical(rows), rows)


def test_seen_rows_names_first_of_new_ones():
    rows = all_rows(toy_space(1))[:6]
    seen = SeenRows()
    seen.add(rows[:2])
    assert len(seen) == 2
    assert seen.new(rows[[0, 2, 2, 3, 4]], rows[[3]]) == [1, 4]


def test_sample_new_finds_everything_in_a_small_space_and_then_nothing():
    space, seen = toy_space(1), SeenRows()
    rng = np.random.default_rng(0)
    sizes = []
    while len(rows := sample_new(space, rng, seen, 50)):
        assert seen.new(rows) == list(range(len(rows)))
        seen.add(rows)
        sizes.append(len(rows))
    assert sizes == [50, 50, 50, 30]
    assert len(seen) == space.size() == 180


def test_sample_spread_runs_from_smallest_to_largest():
    space = toy_space(4)
    rows = sample_spread(space, np.random.default_rng(0), 200)
    np.testing.assert_array_equal(space.canonical(rows), rows)
    operator = space.column["operator"]
    ordered = np.delete(rows, operator, axis=1)
    np.testing.assert_array_equal(ordered[0], np.delete(space.encode([space.smallest()])[0], operator))
    np.testing.assert_array_equal(ordered[-1], np.delete(space.encode([space.largest()])[0], operator))
    assert set(rows[:20, operator]) == {0, 1, 2}
    depth = rows[:, space.column["depth"]]
    assert depth[:50].mean() < 0.8 < 2.2 < depth[150:].mean()


def test_sample_spread_of_one_row():
    space = toy_space(2)
    assert sample_spread(space, np.random.default_rng(1), 1).shape == (1, len(space.knobs))
