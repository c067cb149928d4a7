from __future__ import annotations

import numpy as np
import pytest

from predictors.chunks import chunks


@pytest.mark.parametrize(("num_rows", "lengths"), [(0, [0]), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_the_parts_are_the_whole(num_rows: int, lengths: list[int]) -> None:
    rows = np.arange(num_rows)
    parts = [rows[part] for part in chunks(num_rows, 4)]
    assert [len(part) for part in parts] == lengths
    np.testing.assert_array_equal(np.concatenate(parts), rows)
