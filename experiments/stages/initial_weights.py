"""Before stage 2: shared weights that begin as a person's own trained network, where the study asks for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from experiments.config import StudyConfig
from experiments.talk import Talk
from nas.files import replacing
from nas.training.initial_weights import begin_from
from search_spaces.sharing import SharedWeights

KEPT = "initial.safetensors"


def begin_supernetwork(config: StudyConfig, shared: SharedWeights, folder: Path, talk: Talk | None) -> None:
    """Fill ``shared`` from ``training.initial_weights``; a copy in ``folder`` serves later runs, if the file is gone.

    Args:
        config: of the study; without the setting nothing is done.
        shared: fresh.
        folder: of the study.
        talk: what a person is told; None in a process that follows another.

    Raises:
        UsageError: the file can't be read or is not of the space's largest network; it says what differs.
    """
    if config.training.initial_weights is None:
        return
    kept, given = folder / KEPT, Path(config.training.initial_weights)
    begun = begin_from(shared, kept if kept.exists() else given)
    if talk is None:
        return
    if not kept.exists():
        with replacing(kept) as temporary:
            shutil.copyfile(given, temporary)
    talk.say(
        f"{begun.num_tensors} of {begun.all_tensors} shared tensors begin as {given} has them, "
        f"{len(begun.sorting.groups)} groups of channels sorted by importance"
    )
