from __future__ import annotations

import numpy as np
import pytest
import torch

from nas.training.losses import Outputs, losses
from nas.training.losses.confusable import group_cross_entropy, merged_classes
from search_spaces.errors import UsageError

CONFUSION = np.array([[8.0, 2, 0, 0], [4, 15, 1, 0], [0, 0, 9, 1], [0, 1, 3, 6]])
LOGITS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 1])


@pytest.fixture
def matrix(tmp_path) -> str:
    np.savetxt(tmp_path / "confusion.csv", CONFUSION, delimiter=",")
    return str(tmp_path / "confusion.csv")


def plain(targets: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(LOGITS, targets, label_smoothing=label_smoothing)


def test_soft_labels_are_rows_of_the_matrix_and_sum_to_one(matrix) -> None:
    rows = torch.from_numpy(CONFUSION / CONFUSION.sum(axis=1, keepdims=True)).float()
    soft = 0.7 * torch.eye(4)[LABELS] + 0.3 * rows[LABELS]
    assert torch.allclose(soft.sum(dim=1), torch.ones(5))
    found = losses.get("confusable")(matrix=matrix, weight=0.3, label_smoothing=0.1)(Outputs(LOGITS, LABELS))
    assert torch.allclose(found, plain(soft, 0.1))


@pytest.mark.parametrize("num_groups", [None, 2])
def test_without_weight_it_is_the_cross_entropy(matrix, num_groups) -> None:
    loss = losses.get("confusable")(matrix=matrix, weight=0.0, num_groups=num_groups)
    assert torch.allclose(loss(Outputs(LOGITS, LABELS)), plain(LABELS))


def test_the_most_confused_classes_are_merged_first() -> None:
    assert merged_classes(CONFUSION, 4).tolist() == [0, 1, 2, 3]
    assert merged_classes(CONFUSION, 3).tolist() in ([0, 0, 1, 2], [0, 1, 2, 2])
    assert merged_classes(CONFUSION, 2).tolist() == [0, 0, 1, 1]
    assert merged_classes(CONFUSION, 1).tolist() == [0, 0, 0, 0]


def test_super_classes_count_the_probability_of_their_classes(matrix) -> None:
    shares = LOGITS.softmax(dim=1)
    of_group = torch.stack([shares[:, :2].sum(dim=1), shares[:, 2:].sum(dim=1)], dim=1)
    expected = -of_group.log()[torch.arange(5), LABELS // 2].mean()
    groups = torch.eye(2)[[0, 0, 1, 1]]
    assert torch.allclose(group_cross_entropy(LOGITS, torch.eye(2)[LABELS // 2], groups), expected)
    found = losses.get("confusable")(matrix=matrix, weight=0.4, num_groups=2)(Outputs(LOGITS, LABELS))
    assert torch.allclose(found, 0.6 * plain(LABELS) + 0.4 * expected)


def test_gradients_are_finite(matrix) -> None:
    logits = (40 * LOGITS).requires_grad_()
    losses.get("confusable")(matrix=matrix, num_groups=2)(Outputs(logits, LABELS)).backward()
    assert bool(logits.grad.isfinite().all())
    assert bool(logits.grad.any())


def test_another_number_of_classes_is_an_error(matrix) -> None:
    with pytest.raises(UsageError, match="got a matrix of 4 classes, the data has 3: give a row a class"):
        losses.get("confusable")(matrix=matrix)(Outputs(LOGITS[:, :3], LABELS % 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3,4\n5,6", r"of 3 x 2: give a row and a column a class"),
        ("1,-2\n3,4", r"of 2 x 2: .* counts of 0 or more"),
        ("1,2\n0,0", r"of 2 x 2: .* images of every class"),
        ("a,b\nc,d", r"can't be read \(.*\): give a CSV file of numbers"),
    ],
)
def test_a_file_that_is_no_confusion_matrix_is_refused(tmp_path, content, message) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        losses.get("confusable")(matrix=str(path))


def test_bad_settings_are_named(matrix, tmp_path) -> None:
    with pytest.raises(UsageError, match=r"'num_groups' got 5: allowed: 1 to the 4 classes"):
        losses.get("confusable")(matrix=matrix, num_groups=5)
    with pytest.raises(UsageError, match=r"loss 'confusable', setting 'matrix' got \{\}: Field required"):
        losses.get("confusable")()
    with pytest.raises(UsageError, match=r"confusion matrix .*none.csv can't be read"):
        losses.get("confusable")(matrix=str(tmp_path / "none.csv"))
