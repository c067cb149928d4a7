"""Classification: one class an image; top-1 accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas.tasks import Metric, ShareTask, tasks

if TYPE_CHECKING:
    from torch import Tensor

    from nas.data.source import LabelledImages
    from nas.data.splits import DataSplits, ImageSet


@tasks.register("classification")
class Classification(ShareTask):
    """Logits (n, num_classes), labels (n,)."""

    name = "classification"
    metric = Metric("accuracy", "accuracy", "max", "%", 100.0)
    output = "logits"
    does = "classifies images"
    loss = "cross_entropy"
    needs_labels = True

    def class_names(self, found: LabelledImages, names: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of all classes, numbers where they have none."""
        return names if names is not None else tuple(map(str, range(int(found.labels.max()) + 1)))

    def num_outputs(self, data: DataSplits) -> int:
        """Return the number of classes."""
        return data.num_classes

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return which images are classified right, bool (n,)."""
        return outputs.argmax(1) == targets

    def guess(self, images: ImageSet) -> Tensor:
        """Return which images are of the commonest class."""
        return images.labels == images.labels.bincount().argmax()
