"""Embedding: a vector an image, those of one class close together; recall@1.

An image is right where the nearest other image is of its class (Jegou et al. 2011, for retrieval by one neighbour).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from nas.tasks import Metric, ShareTask, tasks
from nas.tasks.classification import Classification
from nas.training.part_settings import PartSettings
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nas.data.source import LabelledImages
    from nas.data.splits import DataSplits, ImageSet
    from search_spaces.blueprint import Setting


class EmbeddingSettings(PartSettings):
    """Settings of the task.

    Attributes:
        width: numbers of a vector.
    """

    width: int = Field(32, ge=2)


@tasks.register("embedding")
class Embedding(ShareTask):
    """Vectors (n, width) of length 1, labels (n,)."""

    name = "embedding"
    metric = Metric("recall_at_1", "recall@1", "max", "%", 100.0)
    output = "embedding"
    does = "gives a vector for an image, near those of its class"
    loss = "supervised_contrastive"
    needs_labels = True
    Settings = EmbeddingSettings

    def head(self) -> Mapping[str, Setting]:
        """Return the embedding head."""
        return {"kind": "embedding_head"}

    def prepared(self, found: LabelledImages) -> LabelledImages:
        """Return the images as they are; labels alone say which belong together."""
        for name in ("soft_labels", "label_maps"):
            if getattr(found, name) is not None:
                raise UsageError(f"{found.origin}: task {self.name!r} takes labels alone: leave {name} out")
        return found

    def class_names(self, found: LabelledImages, names: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of all classes."""
        return Classification().class_names(found, names)

    def num_outputs(self, data: DataSplits) -> int:  # noqa: ARG002
        """Return the length of a vector."""
        return int(self.settings.width)

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the vectors, and the label behind each, (n, width + 1)."""
        import torch

        return torch.cat([outputs, targets[:, None].to(outputs.dtype)], dim=1)

    def value(self, rows: Tensor) -> float:
        """Return the share of images whose nearest other is of their class, in percent."""
        return super().value(self.right(rows))

    def spread(self, rows: Tensor) -> float:
        """Return the standard error of that share, in percent."""
        return super().spread(self.right(rows))

    def right(self, rows: Tensor) -> Tensor:
        """Return which images are nearest to one of their class, bool (n,); they are told apart where given twice."""
        if rows.ndim == 1:
            return rows
        vectors, labels = rows[:, :-1], rows[:, -1]
        similarity = vectors @ vectors.T
        similarity.fill_diagonal_(-2.0)
        return labels[similarity.argmax(1)] == labels

    def guess(self, images: ImageSet) -> Tensor:
        """Return which images are of the commonest class, as right as equal vectors can be."""
        return Classification().guess(images)
