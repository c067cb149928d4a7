"""Counting: how densely objects lie; mean absolute error of the count of an image.

The target is a map of densities that sums to the number of objects, given as such or made of the objects' places: a
Gaussian of ``sigma`` pixels at each, cut at the image's edge and then made to sum to 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas.tasks import Metric, Task, required_targets, tasks
from nas.training.part_settings import PartSettings
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nas.data.source import LabelledImages
    from nas.data.splits import DataSplits, ImageSet
    from search_spaces.blueprint import Setting

Floats = NDArray[np.float32]
FINER = 3
"""Samples of a density along each side of a pixel when its image is changed."""


class CountingSettings(PartSettings):
    """Settings of the task.

    Attributes:
        sigma: of the Gaussian at each place, in pixels of the data.
    """

    sigma: float = Field(1.5, gt=0)


@tasks.register("counting")
class Counting(Task):
    """Densities (n, 1, h, w) of any size, targets (n, H, W); each sums to a count."""

    name = "counting"
    metric = Metric("count_mae", "mean absolute error of the count", "min", "objects", 0.0)
    output = "density"
    does = "counts the objects in an image"
    loss = "density"
    Settings = CountingSettings

    def head(self) -> Mapping[str, Setting]:
        """Return the mixture of density experts."""
        return {"kind": "counting_head"}

    def prepared(self, found: LabelledImages) -> LabelledImages:
        """Return the densities as float32 (n, H, W)."""
        kind, given = required_targets(found, self.name, "points", "targets")
        size = found.images.shape[1:3]
        if kind == "points":
            given = self._densities(found.origin, given, len(found.images), (int(size[0]), int(size[1])))
        if given.shape != found.images.shape[:3] or given.dtype.kind != "f":
            raise UsageError(
                f"{found.origin}: densities of {given.dtype} {given.shape} for images of {found.images.shape}: give "
                f"floats {found.images.shape[:3]} that sum to the number of objects of each image"
            )
        wrong = ~(np.isfinite(given) & (given >= 0)).reshape(len(given), -1).all(axis=1)
        if wrong.any():
            raise UsageError(
                f"{found.origin}: the density of image {int(np.flatnonzero(wrong)[0])} holds NaN, infinity or a value "
                f"below 0 ({int(wrong.sum())} such images): give finite values of 0 or more"
            )
        return replace(found, targets={"targets": given.astype(np.float32)})

    def _densities(self, origin: str, points: NDArray[Any], num: int, size: tuple[int, int]) -> Floats:
        """Return the densities of places (n, most, 2), (row, column) in pixels; NaN in both where there is none."""
        if points.ndim != 3 or points.shape[::2] != (num, 2) or points.dtype.kind != "f":
            raise UsageError(
                f"{origin}: points of {points.dtype} {points.shape} for {num} images: give floats ({num}, most, 2), "
                "row and column of each object, NaN where an image has fewer than the most"
            )
        present = ~np.isnan(points).all(axis=2)
        inside = ((points >= 0) & (points <= size)).all(axis=2)
        if (present & ~inside).any():
            image, place = np.argwhere(present & ~inside)[0].tolist()
            raise UsageError(
                f"{origin}: image {image} has an object at {points[image, place].tolist()} (row, column): allowed: "
                f"0..{size[0]}, 0..{size[1]}"
            )
        return np.stack([self.density(places[there], size) for places, there in zip(points, present, strict=True)])

    def density(self, places: NDArray[Any], size: tuple[int, int]) -> Floats:
        """Return the density (height, width) of places (k, 2): a product of two Gaussians each, which sums to 1."""
        sides = []
        for side, centres in zip(size, places.T, strict=True):
            away = (np.arange(side) + 0.5 - centres[:, None]) / self.settings.sigma
            weights = np.exp(-0.5 * away**2)
            sides.append(weights / weights.sum(axis=1, keepdims=True))
        found: Floats = np.einsum("kh,kw->hw", *sides).astype(np.float32)
        return found

    def num_outputs(self, data: DataSplits) -> int:  # noqa: ARG002
        """Return 1: one kind of objects."""
        return 1

    def changed(self, targets: Tensor, shown: Tensor, padding: str) -> Tensor:
        """Return the densities of what is shown: as many objects on the area that they then take.

        Samples between pixels stand closer than pixels do, so that those of a narrow peak add up to it: to 1 percent at
        a pixel's width.
        """
        import torch
        from torch.nn import functional as F

        finer = [FINER * int(side) for side in targets.shape[1:]]
        grid = F.affine_grid(shown, [len(targets), 1, *finer], align_corners=False)
        sampled = F.grid_sample(targets[:, None], grid, mode="bilinear", padding_mode=padding, align_corners=False)
        area: Tensor = torch.linalg.det(shown[:, :, :2])
        return F.avg_pool2d(sampled, FINER)[:, 0] * area.abs()[:, None, None]

    def aligned(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs, and the densities summed over cells of the outputs' size, (n, 1, h, w)."""
        height, width = outputs.shape[2:]
        return outputs, summed(targets[:, None], (int(height), int(width)))

    def matched(self, teacher: Tensor, outputs: Tensor) -> Tensor:
        """Return the teacher's densities, summed over cells of the outputs' size."""
        return summed(teacher, (int(outputs.shape[2]), int(outputs.shape[3])))

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the counts, (n, 2): given, true."""
        import torch

        return torch.stack([outputs.double().sum((1, 2, 3)), targets.double().sum((1, 2))], dim=1)

    def value(self, rows: Tensor) -> float:
        """Return the mean absolute error in objects."""
        return float((rows[:, 0] - rows[:, 1]).abs().mean())

    def guess(self, images: ImageSet) -> Tensor:
        """Return the median count for each image."""
        import torch

        counts = images.truth.double().sum((1, 2))
        return torch.stack([counts.median().expand_as(counts), counts], dim=1)


def summed(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (n, c, H, W) on cells (n, c, *size): each cell holds the sum of what it covers, so that sums stay."""
    rows, columns = (_overlap(int(had), want, maps) for had, want in zip(maps.shape[2:], size, strict=True))
    return rows @ maps @ columns.T


def _overlap(had: int, want: int, like: Tensor) -> Tensor:
    """Return which share of each of ``had`` cells lies in each of ``want``, (want, had)."""
    import torch

    edges = torch.arange(want + 1, dtype=torch.float64) * had / want
    cells = torch.arange(had, dtype=torch.float64)
    covered = torch.minimum(edges[1:, None], cells + 1) - torch.maximum(edges[:-1, None], cells)
    return covered.clamp(min=0).to(like)
