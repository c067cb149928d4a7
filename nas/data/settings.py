"""Settings of data and augmentation. No torch here: the command line reads these before anything heavy loads."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search_spaces.errors import UsageError


class DataSettings(BaseModel):
    """Which images, and how they are split.

    Attributes:
        source: name of a data source (``digits``, ``fashion_mnist``, ``image_folder``, ``npz``, or one of your own).
        path: the file or folder that the source reads; ``digits`` takes none.
        calibration_images: images for BatchNorm statistics, cut from the training images.
        validation_fraction: share of the images outside the source's own test set that search sees.
        test_fraction: share of all images that only reports see; used where the source has no test set of its own.
        max_images: keep a stratified sample of at most so many images, and of as many of the source's own test set.
        skip_undecodable: leave out image files that do not decode, instead of stopping (``image_folder``).
        keep_on_device: whether all training images are held in the GPU's memory; else they stay in that of the host
            and each batch is moved. ``auto``: where they take at most half of it.
        size: height and width in pixels to which files are resized and centre-cropped when decoded (``image_folder``);
            None when all have one size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = "digits"
    path: str = ""
    calibration_images: int = Field(256, ge=1)
    validation_fraction: float = Field(0.15, gt=0, lt=1)
    test_fraction: float = Field(0.15, gt=0, lt=1)
    max_images: int | None = Field(None, ge=1)
    skip_undecodable: bool = False
    size: int | None = Field(None, ge=1)
    keep_on_device: Literal["auto"] | bool = "auto"

    @model_validator(mode="after")
    def _fractions_leave_training_images(self) -> DataSettings:
        total = self.validation_fraction + self.test_fraction
        if total >= 1:
            raise UsageError(
                f"validation_fraction {self.validation_fraction} + test_fraction {self.test_fraction} = {total:.4g}: "
                "they must sum to less than 1, so that training images are left; lower one"
            )
        return self


class AugmentSettings(BaseModel):
    """Random changes to training images, drawn for each image on its own. The default suits digits: no flip.

    Attributes:
        max_shift: largest shift along each axis, as a fraction of that side.
        max_rotation_degrees: largest rotation either way.
        max_scale: largest relative change of size; 0.1 means between 1 / 1.1 and 1.1.
        horizontal_flip: mirror every second image (at random) left to right.
        padding: what moves in from outside: ``zeros`` or the image ``reflect``-ed at its edge.
        cutout: side of a square hole, as a fraction of the image's side, filled with the image's mean; 0 is none
            (DeVries and Taylor 2017, https://arxiv.org/abs/1708.04552).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_shift: float = Field(0.1, ge=0, le=1)
    max_rotation_degrees: float = Field(10.0, ge=0, le=180)
    max_scale: float = Field(0.1, ge=0, le=1)
    horizontal_flip: bool = False
    padding: Literal["zeros", "reflect"] = "zeros"
    cutout: float = Field(0.0, ge=0, lt=1)
