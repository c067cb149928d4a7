from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toy_training import convolutions, images, settings

from nas.data.settings import AugmentSettings
from nas.training.loop import Watch
from nas.training.masked import MaskedTrainer
from nas.training.masked_settings import MaskedPretrainingSettings
from nas.training.pretraining import pretrain
from search_spaces.errors import ConflictError, NasError
from search_spaces.sharing import SharedWeights

IDENTITY = {"seed": 7, "training": {"epochs": 4}}


def masked_trainer(**given) -> MaskedTrainer:
    masking = MaskedPretrainingSettings(steps=5, decoder_width=8)
    made = settings(checkpoint_every=2, networks_per_step=1, **given)
    return MaskedTrainer(SharedWeights(convolutions(), seed=1), images(), made, masking, AugmentSettings(), seed=7)


class Stop(Exception):
    pass


def test_stopped_and_resumed_it_ends_in_the_same_bits(tmp_path) -> None:
    straight, stopped, resumed = (masked_trainer() for _ in range(3))
    told: list[int] = []
    pretrain(straight, tmp_path / "straight", IDENTITY, Watch(finish=lambda step, _: told.append(step)))
    assert told == [2, 4, 5]

    def stop(step: int, _: object) -> None:
        if step == 4:
            raise Stop

    with pytest.raises(Stop):
        pretrain(stopped, tmp_path / "stopped", IDENTITY, Watch(finish=stop))
    again: list[int] = []
    pretrain(resumed, tmp_path / "stopped", IDENTITY, Watch(finish=lambda step, _: again.append(step)))
    assert again == [2, 4, 5]
    for name, value in straight.state().items():
        assert torch.equal(value, resumed.state()[name]), name


def test_done_it_gives_its_weights_again(tmp_path) -> None:
    first, second = masked_trainer(), masked_trainer()
    pretrain(first, tmp_path, IDENTITY, Watch())
    begun: list[int] = []
    pretrain(second, tmp_path, IDENTITY, Watch(begin=begun.append))
    assert begun == []
    for name, tensor in first.shared.tensors.items():
        assert torch.equal(tensor, second.shared.tensors[name])


def test_a_checkpoint_made_with_other_settings_is_refused(tmp_path) -> None:
    pretrain(masked_trainer(), tmp_path, IDENTITY, Watch())
    with pytest.raises(ConflictError, match=r"was made with other training.epochs: choose another study name"):
        pretrain(masked_trainer(), tmp_path, {**IDENTITY, "training": {"epochs": 5}}, Watch())


def test_a_loss_that_is_not_finite_is_an_error(tmp_path) -> None:
    made = masked_trainer()
    made.data = replace(made.data, mean=(float("nan"),))
    with pytest.raises(
        NasError, match=r"masked pre-training diverged: the loss is nan at step 2: lower training.learn"
    ):
        pretrain(made, tmp_path, IDENTITY, Watch())
    assert not list(tmp_path.glob("*.safetensors"))
