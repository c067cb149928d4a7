import numpy as np
import pytest
import torch
from PIL import Image

from nas.data.settings import DataSettings
from nas.data.splits import load_data
from search_spaces.errors import UsageError

COLOURS = {"blue": (0, 0, 250), "green": (0, 250, 0), "red": (250, 0, 0)}


def fill(folder, num, colours=None):
    for name, colour in (colours or COLOURS).items():
        (folder / name).mkdir(parents=True)
        for number in range(num):
            Image.new("RGB", (6, 5), colour).save(folder / name / f"{number}.png")
    return folder


def settings(folder, **others):
    return DataSettings(source="image_folder", path=str(folder), **{"calibration_images": 3, **others})


def test_one_folder_of_classes_is_split_by_seed(tmp_path):
    splits = load_data(settings(fill(tmp_path, 10)), 0)
    sets = (splits.training, splits.calibration, splits.validation, splits.test)
    assert [len(one) for one in sets] == [19, 3, 4, 4]
    assert splits.class_names == ("blue", "green", "red")
    assert (splits.in_channels, splits.image_size) == (3, (5, 6))
    for one in sets:
        expected = torch_colours(splits.class_names)[one.labels]
        assert (one.images == expected[:, :, None, None]).all()


def torch_colours(class_names):
    return torch.tensor([COLOURS[name] for name in class_names], dtype=torch.uint8)


@pytest.mark.parametrize("held_out", ["val", "test"])
def test_val_beside_train_is_the_test_set(tmp_path, held_out):
    fill(tmp_path / "train", 8)
    fill(tmp_path / held_out, 2)
    splits = load_data(settings(tmp_path), 0)
    assert len(splits.test) == 6
    assert splits.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert (splits.test.images == torch_colours(splits.class_names)[splits.test.labels][:, :, None, None]).all()
    assert sum(len(one) for one in (splits.training, splits.calibration, splits.validation)) == 24


def test_max_images_decodes_only_the_sample(tmp_path, monkeypatch):
    opened = []
    real = Image.open
    fill(tmp_path, 20)
    monkeypatch.setattr(Image, "open", lambda path: opened.append(path) or real(path))
    splits = load_data(settings(tmp_path, max_images=24, validation_fraction=0.2, test_fraction=0.2), 0)
    assert len(set(opened)) == 24
    assert sum(len(one) for one in (splits.training, splits.calibration, splits.validation, splits.test)) == 24


def test_greyscale_files_in_nested_folders_beside_other_files(tmp_path):
    for name in ("a", "b"):
        for number in range(10):
            (tmp_path / name / "deep").mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / name / "deep" / f"{number}.PNG")
        (tmp_path / name / "notes.txt").write_text("no image")
        (tmp_path / name / ".hidden.png").write_text("no image")
    (tmp_path / ".cache").mkdir()
    splits = load_data(settings(tmp_path), 0)
    assert (splits.in_channels, splits.class_names) == (1, ("a", "b"))


def test_files_that_do_not_decode_stop_unless_skipped(tmp_path):
    fill(tmp_path / "train", 8)
    fill(tmp_path / "val", 2)
    (tmp_path / "train" / "green" / "3.png").write_text("no image")
    (tmp_path / "val" / "red" / "0.png").write_text("no image")
    with pytest.raises(UsageError, match=r"2 of 30 images in '.*' do not decode: train/green/3.png, val/red/0.png"):
        load_data(settings(tmp_path), 0)
    splits = load_data(settings(tmp_path, skip_undecodable=True), 0)
    assert splits.skipped == ("train/green/3.png", "val/red/0.png")
    assert splits.test.labels.tolist() == [0, 0, 1, 1, 2]
    assert sum(len(one) for one in (splits.training, splits.calibration, splits.validation)) == 23


def test_a_class_of_which_nothing_decodes_is_named(tmp_path):
    fill(tmp_path, 8)
    for path in (tmp_path / "green").iterdir():
        path.write_text("no image")
    with pytest.raises(UsageError, match="1 of 3 classes have no image: green"):
        load_data(settings(tmp_path, skip_undecodable=True), 0)


def test_a_missing_or_empty_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"gone' does not exist: set path to a folder with one folder of images"):
        load_data(settings(tmp_path / "gone"), 0)
    with pytest.raises(UsageError, match="holds no folder: give a folder with one folder of images a class"):
        load_data(settings(tmp_path), 0)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file: give a folder"):
        load_data(settings(tmp_path / "file"), 0)


def test_an_empty_class_is_named(tmp_path):
    (fill(tmp_path, 8) / "violet").mkdir()
    with pytest.raises(UsageError, match=r"1 of 4 classes have no image: violet: add images \(.bmp, .*\) or remove"):
        load_data(settings(tmp_path), 0)


def test_train_without_classes_is_refused(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "val").mkdir()
    with pytest.raises(UsageError, match=r"data folder '.*train' holds no folder"):
        load_data(settings(tmp_path), 0)


def test_train_and_val_must_hold_the_same_classes(tmp_path):
    fill(tmp_path / "train", 8)
    fill(tmp_path / "val", 2, {"blue": (0, 0, 1), "grey": (1, 1, 1)})
    with pytest.raises(UsageError, match=r"val: class grey is not in train: train has blue, green, red"):
        load_data(settings(tmp_path), 0)


def test_a_class_without_test_images_is_named(tmp_path):
    fill(tmp_path / "train", 8)
    fill(tmp_path / "val", 2, {"blue": (0, 0, 1), "red": (1, 1, 1)})
    with pytest.raises(UsageError, match=r"val: 1 of 3 classes have no image: green"):
        load_data(settings(tmp_path), 0)


@pytest.mark.parametrize(("held_out", "said"), [([], "neither val nor test"), (["val", "test"], "val and test")])
def test_train_needs_exactly_one_folder_beside_it(tmp_path, held_out, said):
    for name in ("train", *held_out):
        fill(tmp_path / name, 4)
    with pytest.raises(UsageError, match=f"holds train and {said}: keep exactly one of val and test beside train"):
        load_data(settings(tmp_path), 0)


def test_files_of_several_sizes_are_resized_if_asked(tmp_path):
    fill(tmp_path, 10)
    Image.new("RGB", (20, 9), COLOURS["red"]).save(tmp_path / "red" / "wide.png")
    with pytest.raises(UsageError, match=r"images differ in size: blue/0.png is 6 x 5, red/wide.png is 20 x 9"):
        load_data(settings(tmp_path), 0)
    assert load_data(settings(tmp_path, size=12), 0).image_size == (12, 12)
