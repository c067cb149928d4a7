"""A teacher from outside: an exported model whose outputs the networks learn from."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from nas.data.splits import DataSplits
from nas.export.safetensors import load_model
from nas.training.batch import Batch
from search_spaces.errors import UsageError

Seen = tuple[Tensor, Tensor | None]
"""Logits (n, num_classes), and the input of the head: a map (n, c, h, w) or tokens (n, num_tokens, c).

None in place of the latter where the head takes several (two branches, two cells).
"""


class ExportedTeacher:
    """The model that an export wrote, in evaluation mode, at its own resolution and normalisation.

    Args:
        folder: of the exported model.
        data: what the networks are trained on.

    Raises:
        UsageError: there is no such model, or it has other classes or channels than the data.
    """

    def __init__(self, folder: Path, data: DataSplits) -> None:
        network, self._info = load_model(folder)
        blueprint = self._info.blueprint
        for what, given, needed in (
            ("outputs" if data.task.metric.name != "accuracy" else "classes", blueprint.num_classes, data.num_outputs),
            ("channels", blueprint.in_channels, data.in_channels),
        ):
            if given != needed:
                raise UsageError(
                    f"training.teacher got {str(folder)!r}, a model of {given} {what}: the data has {needed}: "
                    "give a teacher of as many"
                )
        self._network = network.to(data.training.labels.device).requires_grad_(False)

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Seen:
        """Return what the teacher gives for the same changed images that the networks see."""
        return seen(*self._network.with_features(batch.prepared_by(self._info.prepare)))


def seen(logits: Tensor, features: object) -> Seen:
    """Return the outputs of a network in float32; ``features`` is what its head was given."""
    return logits.float(), features.float() if isinstance(features, Tensor) else None
