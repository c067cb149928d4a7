import numpy as np
import pytest

from nas.data.settings import DataSettings
from nas.data.sources.npz import npz
from nas.data.splits import load_data
from nas.tasks import make_task
from search_spaces.errors import UsageError

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 5, 4), dtype=np.uint8)
LABELS = np.arange(40) % 2


def saved(folder, **arrays):
    np.savez(folder / "data.npz", **arrays)
    return DataSettings(source="npz", path=str(folder / "data.npz"), calibration_images=4)


def test_one_set_is_read(tmp_path):
    data = npz(saved(tmp_path, images=IMAGES, labels=LABELS, class_names=np.array(["cat", "dog"])), 0)
    assert np.array_equal(data.training.images, IMAGES)
    assert np.array_equal(data.training.labels, LABELS)
    assert data.test is None
    assert data.class_names == ("cat", "dog")


def test_two_sets_are_read(tmp_path):
    data = npz(saved(tmp_path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:8], y_test=LABELS[:8]), 0)
    assert len(data.training.images) == 40
    assert data.test is not None
    assert np.array_equal(data.test.images, IMAGES[:8])
    assert data.class_names is None


def test_classes_without_names_are_numbered(tmp_path):
    assert load_data(saved(tmp_path, images=IMAGES, labels=LABELS), 0).class_names == ("0", "1")


def test_a_gap_in_the_labels_names_the_class_without_images(tmp_path):
    with pytest.raises(UsageError, match=r"data.npz: 1 of 3 classes have no image: 1"):
        load_data(saved(tmp_path, images=IMAGES, labels=LABELS * 2), 0)


def test_missing_keys_are_listed(tmp_path):
    with pytest.raises(UsageError, match=r"holds the keys images, target: it needs images and labels, or x_train"):
        npz(saved(tmp_path, images=IMAGES, target=LABELS), 0)


def test_nothing_pickled_is_read(tmp_path):
    settings = saved(tmp_path, images=np.array([{}, []], dtype=object), labels=LABELS[:2])
    with pytest.raises(UsageError, match=r"images can't be read \(Object arrays .*\): save plain arrays"):
        npz(settings, 0)


@pytest.mark.parametrize("name", ["text.npz", "array.npy"])
def test_another_kind_of_file_is_refused(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, IMAGES)
    else:
        path.write_text("text")
    with pytest.raises(UsageError, match=r"is not an .npz file: give one with the keys images and labels"):
        npz(DataSettings(source="npz", path=str(path)), 0)


def test_a_damaged_file_is_refused(tmp_path):
    settings = saved(tmp_path, images=IMAGES, labels=LABELS)
    path = tmp_path / "data.npz"
    content = bytearray(path.read_bytes())
    content[400:410] = bytes(10)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"data.npz is damaged .*: write it again"):
        npz(settings, 0)


def test_nan_in_float_images_is_refused(tmp_path):
    images = IMAGES / 255
    images[3, 0, 0] = np.nan
    with pytest.raises(UsageError, match=r"data.npz: 1 of 40 images hold NaN or infinity"):
        load_data(saved(tmp_path, images=images, labels=LABELS), 0)


@pytest.mark.parametrize("name", ["masks", "points", "targets"])
def test_targets_of_a_task_stand_in_place_of_labels(tmp_path, name):
    arrays = {name: np.arange(40), f"{name}_test": np.arange(3), "images_test": IMAGES[:3]}
    data = npz(saved(tmp_path, images=IMAGES, **arrays), 0)
    assert data.training.targets[name].tolist() == list(range(40))
    assert data.test.targets[name].tolist() == [0, 1, 2]


def test_targets_may_stand_beside_labels(tmp_path):
    settings = saved(tmp_path, images=IMAGES, labels=LABELS, masks=np.zeros((40, 5, 4), np.uint8))
    assert npz(settings, 0).training.targets["masks"].shape == (40, 5, 4)
    assert load_data(settings, 0).training.truth.ndim == 1


def test_as_many_targets_as_images_are_asked_for(tmp_path):
    with pytest.raises(UsageError, match=r"data.npz: 11 masks for 40 images: give one for each"):
        npz(saved(tmp_path, images=IMAGES, masks=np.zeros((11, 5, 4), np.uint8)), 0)


def test_images_alone_have_no_labels_to_classify(tmp_path):
    settings = saved(tmp_path, images=IMAGES[:, :4])
    with pytest.raises(UsageError, match=r"data.npz: labels of shape \(0,\) for images of shape"):
        load_data(settings, 0)
    assert load_data(settings, 0, make_task("super_resolution")).training.targets.shape[1:] == (1, 4, 4)
