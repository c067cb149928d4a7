"""Settings of the training of a supernetwork, and of one network alone. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nas.training.masked_settings import MaskedPretrainingSettings
from nas.training.seta import PruningSettings
from search_spaces.errors import UsageError

LARGEST = "largest"
"""The teacher that is the largest network of each step."""


class TrainingSettings(BaseModel):
    """How the shared weights are trained.

    Attributes:
        sampler: which networks a step trains (``sorted``, ``sandwich``, ``uniform``, ... or one of your own).
        sampler_settings: its own settings.
        sort_channels_at: share of training after which the channels inside the blocks are sorted by importance, once
            (``nas/training/importance.py``); up to then the largest network is best trained alone, as the sampler
            ``progressive`` does in its first phase. None: never.
        networks_per_step: networks whose gradients are accumulated for one optimiser step.
        epochs: passes over the training images (one pass of one network each).
        batch_size: images of one network's forward pass; of all networks of a step together where the sampler splits
            the batch among them.
        gradient_shards: equal parts, a power of two, that each network's images are cut into; BatchNorm statistics are
            of one part. Their gradients are summed in one fixed order, so that as many processes as divide it end in
            the same bits as one.
        optimiser: ``adamw`` or ``sgd`` (Nesterov momentum 0.9).
        learning_rate: peak, reached after ``warmup_fraction`` of the steps, then a cosine to zero.
        warmup_fraction: share of the steps with a linearly rising learning rate.
        weight_decay: decoupled; not applied to biases, norms, tokens and position tables.
        loss: on the targets: ``cross_entropy``, ... or one of your own; a study of another task has that task's loss
            where it names none.
        loss_settings: its own settings.
        label_smoothing: of the loss on the targets.
        distillation: loss on a teacher's outputs (``kl``, ... or one of your own); None: there is no teacher.
        distillation_settings: its own settings.
        teacher: ``largest``: the network of each step that takes the most MACs learns from the targets, and the others
            from its outputs alone (BigNAS, arXiv 2003.11142); else the folder of an exported model, whose outputs all
            networks learn from beside the targets.
        distillation_weight: w of (1 - w) x loss + w x distillation with an exported teacher.
        pruning: images that an epoch leaves out by their losses (SeTa); None: it sees all.
        drop_path: probability that the last residual block is skipped for an image; those before it less, by depth.
        initial_weights: safetensors file of the space's largest network, trained before: the shared weights begin with
            it, their channels sorted by importance. None: at random.
        masked_pretraining: how the shared weights of a convolutional space begin (SparK); None: at random.
        max_gradient_norm: the accumulated gradient is clipped to it once.
        ema_decay: of the moving average of the shared weights that evaluation and extraction use.
        checkpoint_every: optimiser steps between checkpoints, at which the curves are evaluated too.
        precision: ``auto`` is bfloat16 autocast on a GPU that has it and float32 elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sampler: str = "sorted"
    sampler_settings: dict[str, Any] = {}
    sort_channels_at: float | None = Field(None, ge=0, lt=1)
    networks_per_step: int = Field(2, ge=1)
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(64, ge=2)
    gradient_shards: int = Field(1, ge=1)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(3e-3, gt=0)
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(0.02, ge=0)
    loss: str = "cross_entropy"
    loss_settings: dict[str, Any] = {}
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    distillation: str | None = None
    distillation_settings: dict[str, Any] = {}
    teacher: str = LARGEST
    distillation_weight: float = Field(0.5, ge=0, le=1)
    pruning: PruningSettings | None = None
    initial_weights: str | None = None
    masked_pretraining: MaskedPretrainingSettings | None = None
    drop_path: float = Field(0.0, ge=0, lt=1)
    max_gradient_norm: float = Field(5.0, gt=0)
    ema_decay: float = Field(0.995, ge=0, lt=1)
    checkpoint_every: int = Field(100, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    @field_validator("gradient_shards")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise UsageError(f"gradient_shards got {value}: allowed: a power of two (1, 2, 4, ...)")
        return value


class FinetuneSettings(BaseModel):
    """How one network is trained alone, from the weights it is given. Without a GPU's autocast: in float32.

    Attributes:
        epochs: passes over the training images; 0 leaves the network as it is.
        batch_size: images a step.
        optimiser: ``adamw`` or ``sgd`` (Nesterov momentum 0.9).
        learning_rate: peak, reached after ``warmup_fraction`` of the steps, then a cosine to zero.
        warmup_fraction: share of the steps with a linearly rising learning rate.
        weight_decay: decoupled; not applied to biases, norms, tokens and position tables.
        label_smoothing: where the loss is the cross entropy.
        max_gradient_norm: the gradient is clipped to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(5, ge=0)
    batch_size: int = Field(64, ge=2)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(0.02, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    max_gradient_norm: float = Field(5.0, gt=0)


class FinalSettings(FinetuneSettings):
    """How a chosen network is trained before it is exported.

    Attributes:
        start: ``inherited``: it is fine-tuned, from what it has of the shared weights; ``random``: it is re-trained
            from scratch, from random weights of the study's seed.
    """

    start: Literal["inherited", "random"] = Field("inherited", exclude_if=lambda start: start == "inherited")

    @model_validator(mode="after")
    def _trains_what_is_random(self) -> FinalSettings:
        if self.start == "random" and not self.epochs:
            raise UsageError("start is 'random' and epochs 0: nothing would be re-trained: give epochs of 1 or more")
        return self
