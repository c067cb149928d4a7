"""Segmentation: a class for every pixel; mean intersection over union.

A mask holds the class of each pixel; ``UNLABELLED`` (255) is a pixel that neither trains nor counts. The mean is over
classes that occur in the masks or in the predictions of the whole set (Everingham et al. 2010, section 3.2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas.tasks import Metric, Task, required_targets, tasks
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nas.data.source import LabelledImages
    from nas.data.splits import DataSplits, ImageSet
    from search_spaces.blueprint import Setting

UNLABELLED = 255
IGNORED = -100
"""What the cross entropy of torch leaves out."""


@tasks.register("segmentation")
class Segmentation(Task):
    """Logits (n, num_classes, H, W), masks (n, H, W); logits of another size are resized."""

    name = "segmentation"
    metric = Metric("miou", "mean IoU", "max", "%", 100.0)
    output = "logits"
    does = "gives every pixel of an image a class"
    loss = "cross_entropy"

    def head(self) -> Mapping[str, Setting]:
        """Return the segmentation head."""
        return {"kind": "segmentation_head"}

    def prepared(self, found: LabelledImages) -> LabelledImages:
        """Return the masks as uint8."""
        from dataclasses import replace

        _, masks = required_targets(found, self.name, "masks")
        if masks.shape != found.images.shape[:3] or masks.dtype.kind not in "iu":
            raise UsageError(
                f"{found.origin}: masks of {masks.dtype} {masks.shape} for images of {found.images.shape}: give "
                f"integers {found.images.shape[:3]}, the class of each pixel"
            )
        wrong = (masks < 0) | (masks > UNLABELLED)
        if wrong.any():
            _raise_class(found.origin, masks, wrong, UNLABELLED - 1)
        return replace(found, targets={"masks": masks.astype(np.uint8)})

    def class_names(self, found: LabelledImages, names: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of all classes, numbers where they have none.

        Raises:
            UsageError: a mask holds a class that has no name, or there are fewer than two classes.
        """
        masks = found.targets["masks"]
        labelled = masks != UNLABELLED
        largest = int(masks[labelled].max(initial=0))
        if names is not None and largest >= len(names):
            _raise_class(found.origin, masks, labelled & (masks >= len(names)), len(names) - 1)
        names = names if names is not None else tuple(map(str, range(largest + 1)))
        if len(names) < 2:
            raise UsageError(f"{found.origin}: {len(names)} class: masks need pixels of at least 2 classes")
        return names

    def num_outputs(self, data: DataSplits) -> int:
        """Return the number of classes."""
        return data.num_classes

    def changed(self, targets: Tensor, shown: Tensor, padding: str) -> Tensor:
        """Return the masks of what is shown: the class of the nearest pixel; outside, none."""
        from torch.nn import functional as F

        size = [len(targets), 1, *targets.shape[1:]]
        grid = F.affine_grid(shown, size, align_corners=False)
        # Counted from 1, so that 0 is outside.
        numbered = targets[:, None].float() + 1
        sampled = F.grid_sample(numbered, grid, mode="nearest", padding_mode=padding, align_corners=False)
        return (sampled[:, 0] - 1).where(sampled[:, 0] > 0, UNLABELLED).to(targets.dtype)

    def aligned(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of the masks' size, and masks int64 with pixels to be left out marked as torch does."""
        from search_spaces.pyramid import resized

        height, width = targets.shape[1:]
        wanted = targets.long()
        return resized(outputs, (int(height), int(width))), wanted.masked_fill(wanted == UNLABELLED, IGNORED)

    def matched(self, teacher: Tensor, outputs: Tensor) -> Tensor:
        """Return the teacher's logits, resized."""
        from search_spaces.pyramid import resized

        return resized(teacher, (int(outputs.shape[2]), int(outputs.shape[3])))

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the confusion matrix of each image, int64 (n, num_classes, num_classes), [true, predicted]."""
        logits, wanted = self.aligned(outputs, targets)
        return confusion(logits.argmax(1), wanted, outputs.shape[1])

    def value(self, rows: Tensor) -> float:
        """Return the mean IoU in percent."""
        counts = rows.sum(0).double()
        both = counts.diagonal()
        either = counts.sum(0) + counts.sum(1) - both
        return float(100 * (both / either)[either > 0].mean())

    def guess(self, images: ImageSet) -> Tensor:
        """Return the rows of the commonest class everywhere."""
        wanted = images.truth.long()
        wanted = wanted.masked_fill(wanted == UNLABELLED, IGNORED)
        counts = wanted[wanted >= 0].bincount()
        return confusion(counts.argmax().expand(wanted.shape), wanted, len(counts))


def confusion(predicted: Tensor, wanted: Tensor, num_classes: int) -> Tensor:
    """Return how often each class was predicted for each, (n, num_classes, num_classes), [true, predicted]."""
    num = len(wanted)
    pairs = (wanted * num_classes + predicted).flatten(1)
    valid = (wanted >= 0).flatten(1)
    offsets = num_classes**2 * pairs.new_tensor(range(num))[:, None]
    counts = (pairs + offsets)[valid].bincount(minlength=num * num_classes**2)
    return counts.view(num, num_classes, num_classes)


def _raise_class(origin: str, masks: np.ndarray, wrong: np.ndarray, largest: int) -> None:
    image = int(np.flatnonzero(wrong.reshape(len(masks), -1).any(axis=1))[0])
    raise UsageError(
        f"{origin}: the mask of image {image} holds class {masks[wrong][0]}: allowed: 0..{largest}, and {UNLABELLED} "
        f"for pixels without a class ({int(wrong.sum())} such pixels)"
    )
