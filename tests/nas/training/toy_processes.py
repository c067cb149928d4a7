"""Run as a program: one of several processes that train a toy space together and leave the state in a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from toy_training import IDENTITY, convolutions, trainer, transformers

from nas.training.checkpoint import save_tensors
from nas.training.loop import Watch, train
from nas.training.step import Trainer

SPACES = {"convolutions": convolutions, "transformers": transformers}
NUM_STEPS = 20


class Unstable(Trainer):
    """Its loss is not a number in step 7, in the second shard alone, until the learning rate was halved."""

    def _shard(self, step, blueprints, teacher, shard):
        parts = super()._shard(step, blueprints, teacher, shard)
        if step == 7 and shard == 1 and self.rate_factor == 1:
            parts["loss"] *= float("nan")
        return parts


def made(space: str, sampler: str, kind: type[Trainer] = Trainer) -> Trainer:
    given = {"sampler": sampler, "gradient_shards": 4, "networks_per_step": 2, "batch_size": 16, "epochs": 20}
    if sampler == "sandwich":
        given["distillation"] = "kl"
    return trainer(SPACES[space](), kind, **given)


def steps(trainer: Trainer) -> Trainer:
    for step in range(NUM_STEPS):
        trainer.step(step)
    return trainer


def main() -> None:
    folder, what, rank, num = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=rank, world_size=num)
    if what == "loop":
        train(made("transformers", "uniform", Unstable), folder / "checkpoints", IDENTITY, Watch())
    else:
        for case in what.split(","):
            save_tensors(folder / f"{case}-rank{rank}", steps(made(*case.split("-"))).state(), {})
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
