"""Several processes that train one study together: this one leads, starts the others and keeps the study's rows."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.config import StudyConfig, make_config
from experiments.context import Together, alone, choose_device
from search_spaces.errors import NasError, UsageError

JOIN_S = 60.0


def processes_together(num: int) -> Together:
    """Return what starts ``num - 1`` further processes of this machine for the time of a training.

    Under torchrun the processes are there already, and ``num`` is left at 1.

    Raises:
        UsageError: ``num`` is not a power of two, or was given under torchrun.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        if num != 1:
            raise UsageError(f"--processes got {num} under torchrun, which started its own: leave it out")
        return _torchrun
    if num < 1 or num & (num - 1):
        raise UsageError(f"--processes got {num}: allowed: a power of two (1, 2, 4, ...)")
    return alone if num == 1 else partial(_spawned, num)


def follows() -> bool:
    """Return whether this process was started by torchrun to follow another."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("RANK", "0") != "0"


def follow(config: StudyConfig, folder: Path) -> None:
    """Train as one of the processes of torch.distributed's group, without a study: the leader has its rows.

    Args:
        config: of the study.
        folder: of the study, the leader's; all processes see it.
    """
    from experiments.stages.training import CHECKPOINTS, identity, make_trainer
    from experiments.study_space import data_and_space
    from nas.training.loop import Watch, train

    data, space = data_and_space(config)
    trainer = make_trainer(config, space, data.to(choose_device(config.device)), folder)
    train(trainer, folder / CHECKPOINTS, identity(config, space), Watch())


def follow_torchrun(config: StudyConfig, folder: Path) -> None:
    """Follow the leader that torchrun started beside this process."""
    with _torchrun(config, folder):
        follow(config, folder)


@contextmanager
def _spawned(num: int, config: StudyConfig, folder: Path) -> Iterator[None]:
    import torch

    from nas.training.gradients import Processes

    Processes(0, num).shards(config.training.gradient_shards)
    threads = torch.get_num_threads()
    each = max(1, threads // num)
    with TemporaryDirectory() as meeting:
        url = (Path(meeting) / "meet").as_uri()
        spawn = multiprocessing.get_context("spawn")
        content = config.model_dump_json(exclude_defaults=True)
        others = [
            spawn.Process(target=_follower, args=(content, folder, url, rank, num, each, os.getpid()), daemon=True)
            for rank in range(1, num)
        ]
        for other in others:
            other.start()
        torch.set_num_threads(each)
        try:
            with _group(config, url, 0, num):
                yield
        except RuntimeError as error:
            ended = [other.exitcode for other in others if other.exitcode]
            if not ended:
                raise
            raise NasError(
                f"{len(ended)} of {num} training processes ended with exit code {ended[0]}: see what it said above"
            ) from error
        finally:
            torch.set_num_threads(threads)
            for other in others:
                other.join(JOIN_S)
                other.terminate()


def _follower(content: str, folder: Path, url: str, rank: int, num: int, threads: int, leader: int) -> None:
    import json

    import torch

    threading.Thread(target=_end_with, args=(leader,), daemon=True).start()
    torch.set_num_threads(threads)
    config = make_config(json.loads(content), "the study")
    with _group(config, url, rank, num):
        follow(config, folder)


def _end_with(leader: int) -> None:
    """End this process once its parent is gone: it would wait for it."""
    while os.getppid() == leader:
        time.sleep(1)
    os._exit(1)


@contextmanager
def _group(config: StudyConfig, url: str, rank: int, num: int) -> Iterator[None]:
    import torch

    on_gpu = choose_device(config.device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(rank % torch.cuda.device_count())
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo", init_method=url, rank=rank, world_size=num)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


@contextmanager
def _torchrun(config: StudyConfig, _folder: Path) -> Iterator[None]:
    with _group(config, "env://", int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])):
        yield
