"""The targets of a batch: labels, soft labels, or the labels of the part of an image that is shown.

A label map (ReLabel: Yun et al. 2021, arXiv 2101.05022) holds, for each cell of a grid over an image, the k classes
that a strong classifier scores highest there, and those scores: ``maps[i, 0]`` are classes and ``maps[i, 1]`` scores
before softmax, each (k, map height, map width); other classes score 0. The target of a crop is the softmax of the
scores averaged over the crop (RoIAlign: bilinear between cells), so that a crop without the object does not go by its
name.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from nas.data.augment import crops, moves, padding_mode
from nas.data.settings import AugmentSettings
from nas.data.splits import ImageSet
from nas.tasks import Task


def batch_targets(
    split: ImageSet,
    chosen: Tensor,
    num_classes: int,
    settings: AugmentSettings,
    generator: torch.Generator,
    task: Task | None = None,
) -> Tensor:
    """Return the targets of some images as ``augment`` changes them.

    Args:
        split: the images.
        chosen: indices, int64 (n,), on the device of the split's labels.
        num_classes: of the data.
        settings: how the images are changed.
        generator: in the state in which ``augment`` was given it.
        task: whose targets the split has, where they are not labels.

    Returns:
        int64 (n,): the labels; where the split has soft labels or label maps, float32 (n, num_classes), whose rows sum
        to 1; where it has targets of a task, those, changed as their images are.
    """
    if split.targets is not None and task is not None:
        targets = split.targets[chosen]
        if not moves(settings):
            return targets
        return task.changed(targets, crops(len(chosen), _size(split), settings, generator), padding_mode(settings))
    if split.soft_labels is not None:
        return split.soft_labels[chosen]
    if split.label_maps is None:
        return split.labels[chosen]
    shown = crops(len(chosen), _size(split), settings, generator)
    return crop_targets(split.label_maps[chosen], num_classes, shown)


def _size(split: ImageSet) -> tuple[int, int]:
    height, width = split.images.shape[2:]
    return int(height), int(width)


def crop_targets(maps: Tensor, num_classes: int, shown: Tensor) -> Tensor:
    """Return the soft target of a crop of each image, float32 (n, num_classes).

    Args:
        maps: float32 (n, 2, k, map height, map width).
        num_classes: of the data.
        shown: affine maps from crop to image coordinates (x, y, each -1..1), (n, 2, 3); the part of a crop that lies
            outside its image does not count.
    """
    scores = dense_scores(maps, num_classes)
    points = F.affine_grid(shown, list(scores.shape), align_corners=False)
    inside = (points.abs() <= 1).all(dim=3, keepdim=False).unsqueeze(1)
    sampled = F.grid_sample(scores, points, mode="bilinear", padding_mode="border", align_corners=False)
    mean = (sampled * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1)
    return mean.softmax(dim=1)


def dense_scores(maps: Tensor, num_classes: int) -> Tensor:
    """Return the score of every class in every cell, (n, num_classes, map height, map width)."""
    num, _, _, height, width = maps.shape
    empty = maps.new_zeros(num, num_classes, height, width)
    return empty.scatter(1, maps[:, 0].long(), maps[:, 1])
