"""Super-resolution: an image ``factor`` times as high and wide; peak signal-to-noise ratio.

Targets are the large images. Where the data has none, its own images are the targets, and the networks are given the
mean of each ``factor`` x ``factor`` pixels of them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas.tasks import Metric, Task, tasks
from nas.training.part_settings import PartSettings
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nas.data.settings import AugmentSettings
    from nas.data.source import LabelledImages
    from nas.data.splits import DataSplits, ImageSet
    from search_spaces.blueprint import Setting

LEAST_SQUARE = 1 / 12 / 255**2
"""The mean square of rounding to 8 bits, values in 0..1: what no reference of 8 bits can tell from 0."""
BEST_DB = round(-10 * math.log10(LEAST_SQUARE), 2)


class SuperResolutionSettings(PartSettings):
    """Settings of the task.

    Attributes:
        factor: by which an image becomes higher and wider.
    """

    factor: int = Field(2, ge=2, le=8)


@tasks.register("super_resolution")
class SuperResolution(Task):
    """Images float (n, channels, factor H, factor W) in 0..1, targets of the same shape in uint8."""

    name = "super_resolution"
    metric = Metric("psnr_db", "PSNR", "max", "dB", BEST_DB)
    output = "pixels"
    does = "gives an image more pixels"
    loss = "absolute_error"
    exact_size = True
    Settings = SuperResolutionSettings

    @property
    def factor(self) -> int:
        """By which an image becomes higher and wider."""
        return int(self.settings.factor)

    def head(self) -> Mapping[str, Setting]:
        """Return the sub-pixel convolution."""
        return {"kind": "sub_pixel_head", "factor": self.factor}

    def check_augmentation(self, settings: AugmentSettings) -> None:
        """Raise UsageError where the small and the large image would be resampled apart."""
        for name in ("max_rotation_degrees", "max_scale", "cutout"):
            if getattr(settings, name):
                raise UsageError(
                    f"augmentation.{name} got {getattr(settings, name):g}: task {self.name!r} takes whole shifts and "
                    "flips, which the large image can follow exactly: set it to 0"
                )

    def prepared(self, found: LabelledImages) -> LabelledImages:
        """Return small images (n, height, width, channels) and large targets (n, channels, height, width), uint8."""
        from nas.data.checks import checked_images

        large = np.ascontiguousarray(checked_images(replace(found, images=self._large(found))).transpose(0, 2, 3, 1))
        height, width = large.shape[1:3]
        if height % self.factor or width % self.factor:
            raise UsageError(
                f"{found.origin}: images of {height} x {width} (height x width): factor {self.factor} of task "
                f"{self.name!r} does not divide them: crop them or choose another factor"
            )
        if "targets" not in found.targets:
            return replace(found, images=shrunk(large, self.factor), targets=_targets(large))
        small = found.images if found.images.ndim == 4 else found.images[..., None]
        wanted = (len(small), self.factor * small.shape[1], self.factor * small.shape[2], small.shape[3])
        if large.shape != wanted:
            raise UsageError(
                f"{found.origin}: targets of {large.shape} for images of {small.shape}: with factor {self.factor} "
                f"give {wanted}"
            )
        return replace(found, targets=_targets(large))

    def _large(self, found: LabelledImages) -> NDArray[Any]:
        return found.targets.get("targets", found.images)

    def num_outputs(self, data: DataSplits) -> int:
        """Return the channels of an image."""
        return data.in_channels

    def changed(self, targets: Tensor, shown: Tensor, padding: str) -> Tensor:
        """Return the large images of what is shown: shifts and flips of whole pixels."""
        from torch.nn import functional as F

        grid = F.affine_grid(shown, list(targets.shape), align_corners=False)
        return F.grid_sample(targets.float(), grid, mode="bilinear", padding_mode=padding, align_corners=False)

    def aligned(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs and the targets in 0..1."""
        return outputs, targets.float() / 255

    def rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the PSNR of each image in dB, (n,), outputs cut to 0..1."""
        made, wanted = self.aligned(outputs, targets)
        return psnr_db(made.clamp(0, 1), wanted)

    def value(self, rows: Tensor) -> float:
        """Return the mean PSNR in dB."""
        return float(rows.double().mean())

    def guess(self, images: ImageSet) -> Tensor:
        """Return the PSNR of the mean image for each."""
        wanted = images.truth.float() / 255
        return psnr_db(wanted.mean(0, keepdim=True).expand_as(wanted), wanted)


def _targets(large: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    return {"targets": np.ascontiguousarray(large.transpose(0, 3, 1, 2))}


def psnr_db(made: Tensor, wanted: Tensor) -> Tensor:
    """Return 10 log10(1 / mean square error) of each image, (n,), values in 0..1; at most that of 8-bit rounding."""
    square = (made - wanted).square().flatten(1).mean(1)
    return -10 * square.clamp(min=LEAST_SQUARE).log10()


def shrunk(images: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return (n, H, W, channels) as the rounded means of factor x factor pixels."""
    num, height, width, channels = images.shape
    blocks = images.reshape(num, height // factor, factor, width // factor, factor, channels)
    small: NDArray[np.uint8] = np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
    return small
