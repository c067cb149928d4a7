import numpy as np
import pytest
import torch

from nas.data.settings import DataSettings
from nas.data.splits import DataSplits, ImageSet, channel_statistics, load_data
from search_spaces.errors import UsageError

SETS = ("training", "calibration", "validation", "test")


def npz_settings(folder, arrays, **settings):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return DataSettings(source="npz", path=str(path), **{"calibration_images": 10, **settings})


def numbered(num, channels=1):
    """Images that hold their own number, so that each can be found again; labels 0, 1, 2 in turn."""
    numbers = np.arange(num)
    pixels = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8)
    return np.repeat(pixels.reshape(num, 1, 2, 1), channels, axis=3), numbers % 3


def numbers_of(images):
    flat = images.images[:, 0, 0].long()
    return (flat[:, 0] + 256 * flat[:, 1]).tolist()


def test_digits_are_split_four_ways():
    splits = load_data(DataSettings(), 0)
    assert [len(getattr(splits, name)) for name in SETS] == [1001, 256, 270, 270]
    assert (splits.in_channels, splits.num_classes, splits.image_size) == (1, 10, (8, 8))
    for name in SETS:
        one = getattr(splits, name)
        assert (one.images.dtype, one.labels.dtype) == (torch.uint8, torch.int64)
        assert one.images.is_contiguous()
        assert one.labels.unique().tolist() == list(range(10))
    pixels = splits.training.images.double() / 255
    assert splits.mean == pytest.approx((pixels.mean().item(),))
    assert splits.std == pytest.approx((pixels.std(correction=0).item(),))


def test_the_seed_decides_the_splits():
    first, again, other = (load_data(DataSettings(), seed) for seed in (0, 0, 1))
    for name in SETS:
        assert getattr(first, name).images.equal(getattr(again, name).images)
        assert getattr(first, name).labels.equal(getattr(again, name).labels)
    assert not first.test.images.equal(other.test.images)


def test_without_a_test_set_all_four_are_cut_and_disjoint(tmp_path):
    images, labels = numbered(300)
    splits = load_data(npz_settings(tmp_path, {"images": images, "labels": labels}), 3)
    found = [number for name in SETS for number in numbers_of(getattr(splits, name))]
    assert sorted(found) == list(range(300))
    assert [len(getattr(splits, name)) for name in SETS] == [200, 10, 45, 45]
    for name in SETS:
        one = getattr(splits, name)
        assert one.labels.tolist() == [number % 3 for number in numbers_of(one)]


def test_the_source_s_own_test_set_stays_whole(tmp_path):
    images, labels = numbered(300)
    arrays = {"x_train": images[:200], "y_train": labels[:200], "x_test": images[200:], "y_test": labels[200:]}
    splits = load_data(npz_settings(tmp_path, arrays), 0)
    assert numbers_of(splits.test) == list(range(200, 300))
    assert [len(getattr(splits, name)) for name in SETS] == [160, 10, 30, 100]


def test_max_images_keeps_a_stratified_sample_of_each_set(tmp_path):
    images, labels = numbered(300)
    arrays = {"x_train": images[:200], "y_train": labels[:200], "x_test": images[200:], "y_test": labels[200:]}
    splits = load_data(npz_settings(tmp_path, arrays, max_images=60), 0)
    assert sum(len(getattr(splits, name)) for name in SETS[:3]) == 60
    assert len(splits.test) == 60
    assert splits.test.labels.bincount().tolist() == [20, 20, 20]


def test_training_and_test_images_of_two_shapes_are_refused(tmp_path):
    images, labels = numbered(60)
    other, _ = numbered(60, channels=3)
    arrays = {"x_train": images, "y_train": labels, "x_test": other, "y_test": labels}
    with pytest.raises(UsageError, match=r"test images of \(channels, height, width\) \(3, 1, 2\), training images of"):
        load_data(npz_settings(tmp_path, arrays), 0)


def test_a_test_set_without_one_of_the_classes_is_refused(tmp_path):
    images, labels = numbered(60)
    arrays = {"x_train": images, "y_train": labels, "x_test": images[:2], "y_test": labels[:2]}
    with pytest.raises(UsageError, match=r"\(test\): 1 of 3 classes have no image: 2"):
        load_data(npz_settings(tmp_path, arrays), 0)


def test_fewer_images_than_the_classes_need_are_refused(tmp_path):
    images, labels = numbered(9)
    with pytest.raises(UsageError, match=r"class '0' has 3, '1' has 3, '2' has 3: each class needs at least 4 images"):
        load_data(npz_settings(tmp_path, {"images": images, "labels": labels}), 0)


def test_statistics_are_those_of_the_chosen_images():
    images = np.random.default_rng(0).integers(0, 256, (3000, 3, 2, 2), dtype=np.uint8)
    indices = np.arange(0, 3000, 2)
    mean, std = channel_statistics(images, indices)
    chosen = images[indices] / 255
    assert mean == pytest.approx(chosen.mean(axis=(0, 2, 3)).tolist())
    assert std == pytest.approx(chosen.std(axis=(0, 2, 3)).tolist())


def test_a_constant_channel_has_a_std_that_divides():
    assert channel_statistics(np.full((4, 1, 2, 2), 51, np.uint8), np.arange(4)) == ((0.2,), (1.0,))


def test_splits_move_to_a_device():
    splits = load_data(DataSettings(), 0).to("meta")
    assert {getattr(splits, name).images.device.type for name in SETS} == {"meta"}
    assert {getattr(splits, name).labels.device.type for name in SETS} == {"meta"}


class TestPlacement:
    """The meta device stands for a GPU."""

    def placed(self, monkeypatch, memory_bytes: int, keep) -> DataSplits:
        monkeypatch.setattr("nas.data.splits.device_memory_bytes", lambda _: memory_bytes)
        images = ImageSet(torch.zeros(10, 1, 4, 4, dtype=torch.uint8), torch.zeros(10, dtype=torch.int64))
        data = DataSplits(images, images, images, images, ("a", "b"), (0.5,), (0.2,), keep_on_device=keep)
        return data.to("meta")

    @pytest.mark.parametrize(
        ("memory_bytes", "keep", "kept"),
        [(320, "auto", True), (319, "auto", False), (1, True, True), (10**9, False, False)],
    )
    def test_training_images_that_take_more_than_half_stay_on_the_host(self, monkeypatch, memory_bytes, keep, kept):
        data = self.placed(monkeypatch, memory_bytes, keep)
        assert data.training.images.device.type == ("meta" if kept else "cpu")
        others = (data.training.labels, data.calibration.images, data.validation.images, data.test.images)
        assert {tensor.device.type for tensor in others} == {"meta"}

    def test_the_setting_is_the_splits(self) -> None:
        assert load_data(DataSettings(keep_on_device=False), 0).keep_on_device is False
