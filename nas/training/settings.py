"""Settings of supernetwork training and of fine-tuning. No torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingSettings(BaseModel):
    """How the shared weights are trained.

    Attributes:
        sampler: which networks a step trains (``sorted``, ``sandwich``, ``uniform``, or one of your own).
        networks_per_step: networks whose gradients are accumulated for one optimiser step.
        epochs: passes over the training images (one pass of one network each).
        batch_size: images of one network's forward pass.
        optimiser: ``adamw`` or ``sgd`` (Nesterov momentum 0.9).
        learning_rate: peak, reached after ``warmup_fraction`` of the steps, then a cosine to zero.
        warmup_fraction: share of the steps with a linearly rising learning rate.
        weight_decay: decoupled; not applied to biases, norms, tokens and position tables.
        label_smoothing: of the cross entropy.
        max_gradient_norm: the accumulated gradient is clipped to it once.
        ema_decay: of the moving average of the shared weights that evaluation and extraction use.
        checkpoint_every: optimiser steps between checkpoints, at which the curves are evaluated too.
        precision: ``auto`` is bfloat16 autocast on a GPU that has it and float32 elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sampler: str = "sorted"
    networks_per_step: int = Field(2, ge=1)
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(64, ge=2)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(3e-3, gt=0)
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(0.02, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    max_gradient_norm: float = Field(5.0, gt=0)
    ema_decay: float = Field(0.995, ge=0, lt=1)
    checkpoint_every: int = Field(100, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class FinetuneSettings(BaseModel):
    """How one extracted network is trained further, alone. Without a GPU's autocast: in float32.

    Attributes:
        epochs: passes over the training images; 0 leaves the network as it was extracted.
        batch_size: images a step.
        optimiser: ``adamw`` or ``sgd`` (Nesterov momentum 0.9).
        learning_rate: peak, reached after ``warmup_fraction`` of the steps, then a cosine to zero.
        warmup_fraction: share of the steps with a linearly rising learning rate.
        weight_decay: decoupled; not applied to biases, norms, tokens and position tables.
        label_smoothing: of the cross entropy.
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
