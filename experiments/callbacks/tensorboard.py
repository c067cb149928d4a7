"""TensorBoard: event files in the study's folder, written by tensorboardX, which needs no TensorFlow."""

from __future__ import annotations

from experiments.callback import CALLBACKS, RUN, Callback, Finished, Run
from search_spaces.errors import missing_extra


@CALLBACKS.register("tensorboard")
def tensorboard(run: Run) -> Callback:
    """Return a logger into ``FOLDER/tensorboard``."""
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError:
        raise missing_extra("tensorboardX", "tensorboard") from None
    writer = SummaryWriter(str(run.folder / "tensorboard"), flush_secs=2)

    def log(finished: Finished) -> None:
        for name, value in finished.scalars().items():
            writer.add_scalar(name, value, finished.step)
        if finished.kind == RUN:
            writer.close()

    return log
