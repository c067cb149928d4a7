from __future__ import annotations

import numpy as np
import pytest
import torch

from nas.data.source import LabelledImages
from nas.data.splits import ImageSet
from nas.tasks.embedding import Embedding
from search_spaces.errors import UsageError

TASK = Embedding(width=2)


def unit(*angles: float) -> torch.Tensor:
    radians = torch.tensor(angles).deg2rad()
    return torch.stack([radians.cos(), radians.sin()], 1)


def test_an_image_is_right_where_the_nearest_other_is_of_its_class() -> None:
    rows = torch.cat(
        [TASK.rows(unit(0, 90), torch.tensor([0, 1])), TASK.rows(unit(10, 80, 40), torch.tensor([0, 1, 1]))]
    )
    assert TASK.right(rows).tolist() == [True, True, True, True, False]
    assert TASK.value(rows) == 80.0
    assert TASK.spread(rows) == pytest.approx((80 * 20 / 5) ** 0.5)


def test_guessing_is_as_right_as_the_commonest_class_is_common() -> None:
    images = ImageSet(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 1, 1]))
    assert TASK.value(TASK.guess(images)) == 75.0


def test_soft_labels_are_named() -> None:
    given = LabelledImages(np.zeros((2, 4, 4)), np.array([0, 1]), "x.npz", soft_labels=np.full((2, 2), 0.5))
    with pytest.raises(UsageError, match=r"x.npz: task 'embedding' takes labels alone: leave soft_labels out"):
        TASK.prepared(given)
