import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.data.batches import epoch_order, prepare, training_batch_indices
from search_spaces.errors import UsageError


@given(st.integers(1, 300), st.integers(0, 2**40), st.integers(0, 1000))
def test_an_epoch_visits_every_image_once(num, seed, epoch):
    order = epoch_order(num, seed, epoch)
    assert order.dtype == torch.int64
    assert order.sort().values.equal(torch.arange(num))
    assert order.equal(epoch_order(num, seed, epoch))


def test_epochs_and_seeds_differ():
    orders = {tuple(epoch_order(50, seed, epoch).tolist()) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16


def test_changing_an_order_does_not_change_the_next_answer():
    order = epoch_order(10, 0, 0)
    kept = order.clone()
    order.zero_()
    training_batch_indices(10, 10, 0, 0).zero_()
    assert epoch_order(10, 0, 0).equal(kept)


@given(st.integers(1, 60), st.data(), st.integers(0, 5))
def test_the_steps_walk_through_the_epochs_and_drop_the_short_batch(num, data, seed):
    batch_size = data.draw(st.integers(1, num))
    steps = num // batch_size
    for epoch in range(2):
        batches = [training_batch_indices(num, batch_size, seed, epoch * steps + number) for number in range(steps)]
        assert torch.cat(batches).equal(epoch_order(num, seed, epoch)[: steps * batch_size])


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_size_outside_the_data_is_refused(batch_size):
    with pytest.raises(UsageError, match=f"batch size {batch_size} for 10 training images: give 1..10"):
        training_batch_indices(10, batch_size, 0, 0)


def images(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_prepared_images_are_normalised_in_channels_last():
    raw = images(4, 3, 6, 8)
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 1.0)
    ready = prepare(raw, (6, 8), mean, std)
    expected = (raw / 255 - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
    torch.testing.assert_close(ready, expected)
    assert ready.dtype == torch.float32
    assert ready.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("resolution", [(16, 16), (8, 4), (4, 16)])
def test_prepared_images_are_resized_once(resolution):
    raw = images(2, 1, 8, 8)
    ready = prepare(raw, resolution, (0.5,), (0.5,))
    shrinks = min(resolution) < 8
    expected = torch.nn.functional.interpolate(raw / 255, size=resolution, mode="bilinear", antialias=shrinks)
    torch.testing.assert_close(ready, (expected - 0.5) / 0.5)
    assert ready.is_contiguous(memory_format=torch.channels_last)


def test_shrinking_averages():
    checkerboard = (torch.arange(16).view(1, 1, 4, 4) % 2 * 255).to(torch.uint8)
    assert prepare(checkerboard, (1, 1), (0.0,), (1.0,)).item() == pytest.approx(0.5)


def test_images_prepared_under_inference_mode_first_still_train_later():
    mean, std = (0.123,), (0.456,)
    with torch.inference_mode():
        prepare(images(1, 1, 4, 4), (4, 4), mean, std)
    floats = images(1, 1, 4, 4).float().requires_grad_()
    prepare(floats, (4, 4), mean, std).sum().backward()
    torch.testing.assert_close(floats.grad, torch.full((1, 1, 4, 4), 1 / (255 * 0.456)))
