"""Cross entropy that is lenient among classes that are often confused (Wang et al. 2017, arXiv 1610.01119).

A confusion matrix of an earlier classifier, on images that it was not trained on, says which classes are ambiguous.
Its knowledge is used in either of two ways:

- soft labels: the target of an image of class i is (1 - w) one_hot(i) + w C_i, with row i of the matrix divided by its
  sum, so that it sums to 1;
- super-classes: classes are merged, most confused ones first, until K groups are left, and with weight w the loss is
  that of the group: -log of the sum of the probabilities of its classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from nas.training.losses import Outputs, losses
from nas.training.losses.cross_entropy import CrossEntropySettings, cross_entropy_per_image
from nas.training.part_settings import read_settings
from search_spaces.errors import UsageError

Matrix = NDArray[np.float64]


class ConfusableSettings(CrossEntropySettings):
    """Settings of the loss.

    Attributes:
        matrix: a CSV file without a header: row i holds how often images of class i were taken for each class.
        weight: w.
        num_groups: K super-classes; None: soft labels.
    """

    matrix: str
    weight: float = Field(0.3, ge=0, le=1)
    num_groups: int | None = Field(None, ge=1)


@losses.register("confusable")
class Confusable:
    """Cross entropy with soft labels or super-classes of a confusion matrix.

    Raises:
        UsageError: the file is no confusion matrix, or has fewer classes than groups.
    """

    needs: ClassVar[frozenset[str]] = frozenset()
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    def __init__(self, **settings: object) -> None:
        self._settings = read_settings("loss 'confusable'", ConfusableSettings, settings)
        confusion = read_confusion(Path(self._settings.matrix).expanduser())
        num_groups = self._settings.num_groups
        if num_groups is not None and num_groups > len(confusion):
            raise UsageError(
                f"loss 'confusable', setting 'num_groups' got {num_groups}: allowed: 1 to the {len(confusion)} classes"
            )
        if num_groups is None:
            table = confusion / confusion.sum(axis=1, keepdims=True)
        else:
            table = np.eye(num_groups)[merged_classes(confusion, num_groups)]
        self._table = torch.from_numpy(table).float()

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        """Nothing: there are no parameters."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the mean over the batch, a scalar.

        Raises:
            UsageError: the data has another number of classes than the matrix.
        """
        num_classes = outputs.logits.shape[1]
        if num_classes != len(self._table):
            raise UsageError(
                f"loss 'confusable' got a matrix of {len(self._table)} classes, the data has {num_classes}: give a row "
                "a class"
            )
        self._table = self._table.to(outputs.logits.device)
        targets = outputs.targets if outputs.targets.ndim == 2 else F.one_hot(outputs.targets, num_classes).float()
        merged, weight = targets @ self._table, self._settings.weight
        if self._settings.num_groups is None:
            targets, weight = (1 - weight) * targets + weight * merged, 0.0
        plain = cross_entropy_per_image(outputs.logits, targets, self._settings.label_smoothing).mean()
        if not weight:
            return plain
        return (1 - weight) * plain + weight * group_cross_entropy(outputs.logits, merged, self._table)


def group_cross_entropy(logits: Tensor, targets: Tensor, groups: Tensor) -> Tensor:
    """Return the mean over the batch of the cross entropy of groups of classes.

    Args:
        logits: (n, num_classes).
        targets: (n, num_groups), rows that sum to 1.
        groups: (num_classes, num_groups), 1 where the class is of the group, else 0.
    """
    log_shares = logits.float().log_softmax(dim=1).unsqueeze(2) + groups.log()
    return -(targets * torch.logsumexp(log_shares, dim=1)).sum(dim=1).mean()


def merged_classes(confusion: Matrix, num_groups: int) -> NDArray[np.int64]:
    """Return the group of each class, (num_classes,), groups numbered by their first class.

    Agglomerative: the two groups whose classes are on average most often confused, either way, are merged until
    ``num_groups`` are left. Confusion counts as a share of the images of its class.
    """
    rates = confusion / confusion.sum(axis=1, keepdims=True)
    similarity = (rates + rates.T) / 2
    groups = [[number] for number in range(len(confusion))]
    while len(groups) > num_groups:
        pairs = [(first, second) for second in range(len(groups)) for first in range(second)]
        scores = [similarity[np.ix_(groups[first], groups[second])].mean() for first, second in pairs]
        first, second = pairs[int(np.argmax(scores))]
        groups[first] += groups.pop(second)
    found = np.empty(len(confusion), dtype=np.int64)
    for number, group in enumerate(sorted(groups, key=min)):
        found[group] = number
    return found


def read_confusion(path: Path) -> Matrix:
    """Return the confusion matrix of a CSV file, (num_classes, num_classes).

    Raises:
        UsageError: the file can't be read, or is not square, or a count is below 0, or a class has no images.
    """
    try:
        matrix = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise UsageError(f"confusion matrix {path} can't be read ({error}): give a CSV file of numbers") from None
    square = matrix.shape[0] == matrix.shape[1]
    if not square or not np.isfinite(matrix).all() or (matrix < 0).any() or not matrix.any(axis=1).all():
        raise UsageError(
            f"confusion matrix {path} of {matrix.shape[0]} x {matrix.shape[1]}: give a row and a column a class, "
            "counts of 0 or more, and images of every class"
        )
    return matrix
