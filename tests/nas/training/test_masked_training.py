from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from pydantic import ValidationError
from toy_training import convolutions, images, settings, transformers

from nas.data.settings import AugmentSettings
from nas.training.checkpoint import load_tensors, save_tensors
from nas.training.masked import MaskedTrainer
from nas.training.masked_settings import MaskedPretrainingSettings
from search_spaces.errors import ConflictError, UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space


def masked_trainer(made=None, data=None, steps: int = 8, **given) -> MaskedTrainer:
    shared = SharedWeights(made or convolutions(), seed=1)
    masking = MaskedPretrainingSettings(steps=steps, decoder_width=16)
    return MaskedTrainer(shared, data or images(), settings(**given), masking, AugmentSettings(), seed=7)


def test_saved_and_loaded_mid_way_it_ends_in_the_same_bits(tmp_path) -> None:
    straight, first, second = masked_trainer(), masked_trainer(), masked_trainer()
    losses = [straight.step(step) for step in range(4)]
    again = [first.step(step) for step in range(2)]
    save_tensors(tmp_path / "state", first.state(), {})
    second.load(load_tensors(tmp_path / "state")[0])
    again += [second.step(step) for step in range(2, 4)]
    assert torch.equal(torch.stack(losses), torch.stack(again))
    for name, value in straight.state().items():
        assert torch.equal(value, second.state()[name]), name
    assert any(not torch.equal(value, first.state()[name]) for name, value in straight.state().items())


def test_labels_do_not_matter_and_the_head_rests() -> None:
    data = images()
    unlabelled = replace(data, training=replace(data.training, labels=torch.zeros_like(data.training.labels)))
    one, other = masked_trainer(), masked_trainer(data=unlabelled)
    before = {name: tensor.clone() for name, tensor in one.shared.tensors.items()}
    assert torch.equal(one.step(0), other.step(0))
    moved = {name for name, tensor in one.shared.tensors.items() if not torch.equal(tensor, before[name])}
    assert not [name for name in moved if name.startswith("head.")]
    still = {name for name in before.keys() - moved if not name.startswith("head.") and before[name].any()}
    assert not [name for name in still if ".weight" in name], "the largest network trains every tensor"


def test_the_loss_falls() -> None:
    made = masked_trainer(steps=40, networks_per_step=1, learning_rate=0.01)
    losses = [float(made.step(step)) for step in range(40)]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_bfloat16_gives_nearly_the_same_loss() -> None:
    full, half = (float(masked_trainer(precision=precision).step(0)) for precision in ("float32", "bfloat16"))
    assert half != full
    assert half == pytest.approx(full, rel=0.02)


def test_every_step_trains_the_largest_network_and_random_ones() -> None:
    made = masked_trainer(networks_per_step=3)
    largest = made.shared.space.largest()
    drawn = [made.architectures(step) for step in range(3)]
    assert all(len(each) == 3 and each[0] == largest for each in drawn)
    assert len({each[1].key for each in drawn}) > 1
    assert drawn == [made.architectures(step) for step in range(3)]


def test_a_space_of_transformers_is_refused() -> None:
    with pytest.raises(UsageError, match=r"space 'autoformer', whose block .* choose a convolutional space \(ofa_mob"):
        masked_trainer(transformers())


def test_a_space_with_maps_of_one_cell_is_refused() -> None:
    with pytest.raises(UsageError, match=r"coarsest map is 1 x 1 \(resolution 8 x 8\): .* choose higher resolutions"):
        masked_trainer(space("convnext", form="small_image", in_channels=1, num_classes=3))


def test_the_state_of_another_decoder_is_refused() -> None:
    state = masked_trainer().state()
    other = MaskedTrainer(
        SharedWeights(convolutions(), seed=1),
        images(),
        settings(),
        MaskedPretrainingSettings(steps=8, decoder_width=8),
        AugmentSettings(),
        seed=7,
    )
    with pytest.raises(ConflictError, match=r"parameter 'decoder\."):
        other.load(state)


@pytest.mark.parametrize("given", [{}, {"steps": 0}, {"steps": 1, "mask_ratio": 1.0}, {"steps": 1, "ratio": 0.5}])
def test_bad_settings_are_refused(given) -> None:
    with pytest.raises(ValidationError):
        partial(MaskedPretrainingSettings, **given)()
