from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.haar import dwt, idwt


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_the_inverse_gives_the_map_back_exactly(width: int, rows: int, columns: int, seed: int) -> None:
    """Whole numbers, whose sums and halves are exact: bit for bit."""
    x = torch.randint(-99, 99, (2, width, 2 * rows, 2 * columns), generator=torch.Generator().manual_seed(seed)).float()
    bands = dwt(x)
    assert bands.shape == (2, 4, width, rows, columns)
    assert torch.equal(idwt(bands), x)


def test_the_transform_is_orthonormal_and_its_first_band_is_the_average() -> None:
    x = torch.randn(1, 3, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    bands = dwt(x)
    torch.testing.assert_close(bands.square().sum(), x.square().sum())
    torch.testing.assert_close(bands[:, 0], 2 * torch.nn.functional.avg_pool2d(x, 2))


def test_each_band_answers_to_its_own_pattern() -> None:
    patterns = torch.tensor([[[1, 1], [1, 1]], [[1, 1], [-1, -1]], [[1, -1], [1, -1]], [[1, -1], [-1, 1]]]).float()
    assert torch.equal(dwt(patterns[None]).flatten(1), 2 * torch.eye(4).flatten()[None])
