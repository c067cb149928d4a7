import gzip
from pathlib import Path

import numpy as np
import pytest

from nas.data.settings import DataSettings
from nas.data.sources.fashion_mnist import CLASS_NAMES, IMAGES_MAGIC, LABELS_MAGIC, read_idx
from nas.data.splits import load_data
from search_spaces.errors import UsageError

ORIGINAL = Path(__file__).resolve().parents[5] / "shared" / "data" / "fashion-mnist"


def packed(magic, values):
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return gzip.compress(magic.to_bytes(4, "big") + sizes + values.astype(np.uint8).tobytes())


@pytest.fixture
def folder(tmp_path):
    for name, num in (("train", 100), ("t10k", 20)):
        labels = np.arange(num) % 10
        images = np.arange(num * 12).reshape(num, 3, 4) % 256
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(packed(IMAGES_MAGIC, images))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(packed(LABELS_MAGIC, labels))
    return tmp_path


def settings(folder, **others):
    return DataSettings(source="fashion_mnist", path=str(folder), **{"calibration_images": 10, **others})


def test_a_small_set_of_four_files_is_read(folder):
    splits = load_data(settings(folder), 0)
    sets = (splits.training, splits.calibration, splits.validation, splits.test)
    assert [len(one) for one in sets] == [75, 10, 15, 20]
    assert splits.class_names == CLASS_NAMES
    assert splits.image_size == (3, 4)
    assert splits.test.images.flatten().tolist() == (np.arange(240) % 256).tolist()
    assert splits.test.labels.tolist() == list(range(10)) * 2


@pytest.mark.skipif(not ORIGINAL.is_dir(), reason="the original files of Fashion-MNIST are not beside the repository")
def test_the_original_files_are_read():
    splits = load_data(settings(ORIGINAL, calibration_images=256), 0)
    sets = (splits.training, splits.calibration, splits.validation, splits.test)
    assert [len(one) for one in sets] == [50744, 256, 9000, 10000]
    assert splits.image_size == (28, 28)
    assert splits.test.labels.bincount().tolist() == [1000] * 10
    assert splits.mean == pytest.approx((0.286,), abs=0.001)
    assert splits.std == pytest.approx((0.353,), abs=0.001)


def test_a_missing_file_is_named(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UsageError, match=r"t10k-labels-idx1-ubyte.gz is missing: the folder must hold the four"):
        load_data(settings(folder), 0)


def test_a_file_instead_of_the_folder_is_named(folder):
    with pytest.raises(UsageError, match="is missing: the folder must hold the four"):
        load_data(settings(folder / "train-images-idx3-ubyte.gz"), 0)


def test_another_magic_number_is_refused(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(packed(LABELS_MAGIC, np.zeros(4)))
    with pytest.raises(UsageError, match=r"images-idx3-ubyte.gz: magic number 0x00000801, expected 0x00000803"):
        load_data(settings(folder), 0)


@pytest.mark.parametrize("keep", [0, 5, 15, 60, -5])
def test_a_gzip_file_cut_short_is_refused(tmp_path, keep):
    path = tmp_path / "cut.gz"
    path.write_bytes(packed(IMAGES_MAGIC, np.random.default_rng(0).integers(0, 256, (10, 8, 8)))[:keep])
    with pytest.raises(UsageError, match=r"cut.gz.*(fetch it again|give the original idx file)"):
        read_idx(path, IMAGES_MAGIC)


def test_what_is_not_gzip_is_refused(tmp_path):
    path = tmp_path / "plain.gz"
    path.write_bytes(b"plain text")
    with pytest.raises(UsageError, match=r"plain.gz is not a whole gzip file .*: fetch it again"):
        read_idx(path, IMAGES_MAGIC)


@pytest.mark.parametrize("length", [4, 10, 16, 20, 30])
def test_values_that_do_not_fill_the_sizes_are_refused(tmp_path, length):
    path = tmp_path / "short.gz"
    content = gzip.decompress(packed(IMAGES_MAGIC, np.zeros((2, 3, 2))))
    path.write_bytes(gzip.compress((content + bytes(10))[:length] if length < 28 else content + bytes(10)))
    with pytest.raises(UsageError, match=r"bytes of values for sizes \[.*\]: the file is cut short or damaged"):
        read_idx(path, IMAGES_MAGIC)


def test_a_label_beyond_the_ten_classes_is_refused(folder):
    labels = np.arange(100) % 10
    labels[7] = 10
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(packed(LABELS_MAGIC, labels))
    with pytest.raises(UsageError, match=r"label 10 of image 7 is out of range: allowed 0..9"):
        load_data(settings(folder), 0)
