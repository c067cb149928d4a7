from __future__ import annotations

from functools import partial

import pytest
import torch
from toy_training import same_state, settings, trainer, transformers

from nas.data.batches import training_batch_indices
from nas.training.order import make_order
from nas.training.seta import PruningSettings, images_of_epoch

CPU = torch.device("cpu")
PRUNING = {"prune_ratio": 0.25, "num_groups": 4, "window": 0.5, "delta": 0.75}


def order(num_images: int = 48, epochs: int = 8, **given):
    return make_order(num_images, settings(epochs=epochs, pruning=PRUNING, **given), 5, CPU)


def test_whole_epochs_are_the_plain_order() -> None:
    whole = make_order(50, settings(epochs=3), 5, CPU)
    assert whole.num_batches == 18
    assert not whole.records
    assert all(torch.equal(whole.batch(index), training_batch_indices(50, 8, 5, index)) for index in range(18))


class TestPruned:
    def test_epochs_have_as_many_batches_as_their_share_fills(self) -> None:
        """36 of 48 images stay; the window of half of them is open in epochs 1 to 5 of 8."""
        assert order().num_batches == 4 + 5 * 2 + 2 * 4

    def test_the_first_and_last_epochs_see_what_the_random_share_leaves(self) -> None:
        made = order()
        for epoch, first, num in ((0, 0, 4), (6, 14, 4), (7, 18, 4)):
            seen = torch.cat([made.batch(first + number) for number in range(num)])
            expected = images_of_epoch(5, epoch, 8, made.state()["losses"].numpy(), PruningSettings(**PRUNING))
            assert torch.equal(seen, torch.from_numpy(expected)[: 8 * num])

    def test_a_window_sees_the_images_of_its_losses(self) -> None:
        made = order()
        losses = torch.arange(48.0)
        made.record(losses, torch.ones(48))
        middle, easy = (torch.cat([made.batch(first), made.batch(first + 1)]) for first in (4, 8))
        assert 6 < middle.min() < middle.max() < 42, "epoch 1 sees groups 1 and 2 of 0..3"
        assert easy.max() < 30, "epoch 3 sees groups 0 and 1"
        assert easy.min() < 6

    def test_losses_of_an_epoch_change_the_next_one_alone(self) -> None:
        made, other = order(), order()
        for each in (made, other):
            each.record(torch.arange(48.0), torch.ones(48))
            each.batch(4)
        made.record(torch.arange(48.0).flip(0), torch.ones(48))
        assert torch.equal(made.batch(5), other.batch(5))
        assert not torch.equal(made.batch(6), other.batch(6))

    def test_the_mean_of_what_a_step_saw_is_kept_and_what_is_not_finite_is_not(self) -> None:
        made = order(num_images=16)
        sums, counts = torch.zeros(16), torch.zeros(16)
        sums[:3], counts[:3] = torch.tensor([6.0, 5.0, float("nan")]), torch.tensor([2.0, 1.0, 1.0])
        made.record(sums, counts)
        assert made.state()["losses"][:4].tolist() == [3.0, 5.0, 3.0, 3.0]

    def test_a_state_that_is_loaded_in_the_middle_of_an_epoch_goes_on_with_its_images(self) -> None:
        made, other = order(), order()
        made.record(torch.arange(48.0), torch.ones(48))
        made.batch(4)
        made.record(torch.arange(48.0).flip(0), torch.ones(48))
        other.load({name: tensor.clone() for name, tensor in made.state().items()})
        for index in (5, 6, 7):
            assert torch.equal(made.batch(index), other.batch(index))


@pytest.mark.parametrize("sampler", ["sorted", "sandwich", "multi_architecture"])
class TestTraining:
    def made(self, sampler):
        return trainer(transformers(), sampler=sampler, epochs=8, networks_per_step=2, pruning=PRUNING)

    def test_losses_of_the_images_that_were_seen_are_recorded(self, sampler) -> None:
        made = self.made(sampler)
        before = made.state()["order/losses"].clone()
        made.step(0)
        batch_of = made._batches.of(0, 0)
        seen = torch.cat([batch_of(number).indices for number in range(2)]).unique()
        assert (made.state()["order/losses"] != before).nonzero().flatten().tolist() == seen.tolist()

    def test_saved_and_loaded_anywhere_it_ends_in_the_same_bits(self, sampler) -> None:
        make = partial(self.made, sampler)
        straight = make()
        for step in range(straight.num_steps):
            straight.step(step)
        other = make()
        for step in range(straight.num_steps):
            other.step(step)
            if step % 3 == 1:
                state = {name: tensor.clone() for name, tensor in other.state().items()}
                other = make()
                other.load(state)
        assert same_state(straight, other)
