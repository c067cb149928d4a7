"""Before stage 2: masked pre-training of the shared weights, where the study asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.config import StudyConfig
from experiments.talk import Talk
from nas.data.splits import DataSplits
from nas.training.loop import Watch
from nas.training.masked import MaskedTrainer
from nas.training.pretraining import pretrain
from search_spaces.sharing import SharedWeights

CHECKPOINTS = "pretraining"


def pretrain_supernetwork(
    config: StudyConfig,
    shared: SharedWeights,
    data: DataSplits,
    folder: Path,
    identity: Mapping[str, Any],
    talk: Talk | None,
) -> None:
    """Pre-train ``shared`` to the end, or go on from the newest checkpoint in the study's ``folder``.

    Args:
        config: of the study; without ``training.masked_pretraining`` nothing is done.
        shared: fresh.
        data: the splits, on the device.
        folder: of the study.
        identity: what the checkpoints must have been made with.
        talk: what a person is told; None in a process that follows another.
    """
    masking = config.training.masked_pretraining
    if masking is None:
        return
    trainer = MaskedTrainer(shared, data, config.training, masking, config.augmentation, config.seed)
    if talk is None:
        pretrain(trainer, folder / CHECKPOINTS, identity, Watch())
        return

    def tell(step: int, point: Mapping[str, Any]) -> None:
        loss = point["reconstruction_loss"]
        talk.say(f"masked pre-training, step {step}/{masking.steps}: reconstruction loss {loss:.3f}")

    with talk.progress("masked pre-training", masking.steps) as progress:
        pretrain(trainer, folder / CHECKPOINTS, identity, Watch(finish=tell, progress=progress, warn=talk.warn))
