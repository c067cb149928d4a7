"""Settings of masked pre-training. No torch here."""

from __future__ import annotations

from pydantic import Field

from nas.training.part_settings import PartSettings


class MaskedPretrainingSettings(PartSettings):
    """How the shared weights of a convolutional space begin: by filling in what is hidden of images, without labels.

    Batch size, networks a step, optimiser and learning rate are those of training.

    Attributes:
        steps: optimiser steps, before the first one with labels.
        mask_ratio: share of the cells (positions of the coarsest map) that is hidden.
        decoder_width: channels of the decoder, which is thrown away afterwards.
    """

    steps: int = Field(ge=1)
    mask_ratio: float = Field(0.6, gt=0, lt=1)
    decoder_width: int = Field(64, ge=1)
