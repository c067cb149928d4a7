import numpy as np

from nas.search.archive import Archive


def test_a_row_that_comes_again_fills_in_what_was_not_known():
    archive = Archive(2, 2)
    archive.add(np.array([[0, 1], [1, 1], [0, 1]]), np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 5.0]]))
    archive.add(np.array([[1, 1], [2, 0]]), np.array([[4.0, np.nan], [np.nan, 1.0]]))
    np.testing.assert_array_equal(archive.genes, [[0, 1], [1, 1], [2, 0]])
    np.testing.assert_array_equal(archive.values, [[1.0, 5.0], [4.0, 3.0], [np.nan, 1.0]])
    np.testing.assert_array_equal(archive.known(), [True, True, False])
    assert len(archive) == 3
    assert archive.genes.dtype == np.int16
