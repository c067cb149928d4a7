import numpy as np
import pytest
from PIL import Image

from nas.data.decode import decode
from search_spaces.errors import UsageError


def write(path, pixels, mode=None):
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path)
    return path


def grey(height=4, width=6, value=7):
    return np.full((height, width), value, np.uint8)


def test_greyscale_files_give_one_channel(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    decoded = decode([write(tmp_path / "a.png", pixels), write(tmp_path / "b.bmp", grey())], tmp_path, None, False)
    assert decoded.images.shape == (2, 4, 6, 1)
    assert np.array_equal(decoded.images[0, :, :, 0], pixels)
    assert (decoded.kept.tolist(), decoded.skipped) == ([0, 1], ())


def test_one_colour_file_makes_all_of_them_rgb(tmp_path):
    colour = np.zeros((4, 6, 3), np.uint8)
    colour[..., 1] = 200
    decoded = decode([write(tmp_path / "a.png", grey()), write(tmp_path / "b.png", colour)], tmp_path, None, False)
    assert decoded.images.shape == (2, 4, 6, 3)
    assert (decoded.images[0] == 7).all()
    assert np.array_equal(decoded.images[1], colour)


@pytest.mark.parametrize(("mode", "num_channels"), [("LA", 1), ("1", 1), ("P", 3), ("RGBA", 3)])
def test_other_modes_become_grey_or_rgb(tmp_path, mode, num_channels):
    decoded = decode([write(tmp_path / "a.png", grey(value=255), mode)], tmp_path, None, False)
    assert decoded.images.shape == (1, 4, 6, num_channels)
    assert (decoded.images == 255).all()


def test_a_palette_with_transparency_gives_its_colours(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (6, 4), (10, 20, 30)).quantize().save(path, transparency=bytes([128]))
    decoded = decode([path], tmp_path, None, False)
    assert decoded.images[0, 0, 0].tolist() == [10, 20, 30]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    path = write(tmp_path / "a.png", np.array([[0, 256, 32768, 65535]], np.uint16))
    assert decode([path], tmp_path, None, False).images.ravel().tolist() == [0, 1, 128, 255]


def test_files_that_differ_in_size_need_a_size(tmp_path):
    paths = [write(tmp_path / "a.png", grey(4, 6)), write(tmp_path / "b.png", grey(8, 5))]
    with pytest.raises(UsageError, match=r"a.png is 6 x 4, b.png is 5 x 8 \(width x height\): set size to the side"):
        decode(paths, tmp_path, None, False)
    decoded = decode(paths, tmp_path, 5, False)
    assert decoded.images.shape == (2, 5, 5, 1)
    assert (decoded.images == 7).all()


def test_a_size_crops_the_centre_and_keeps_the_aspect(tmp_path):
    pixels = np.zeros((8, 24), np.uint8)
    pixels[:, 8:16] = 255
    assert (decode([write(tmp_path / "a.png", pixels)], tmp_path, 8, False).images == 255).all()


def broken_files(folder):
    whole = write(folder / "whole.png", np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8))
    cut = folder / "cut.png"
    cut.write_bytes(whole.read_bytes()[:400])
    text = folder / "text.jpg"
    text.write_text("not an image")
    empty = folder / "empty.png"
    empty.touch()
    wide = folder / "float.tif"
    Image.fromarray(np.zeros((32, 32), np.float32)).save(wide)
    gone = folder / "gone.png"
    gone.symlink_to(folder / "nowhere.png")
    return [cut, whole, text, empty, wide, gone]


def test_files_that_do_not_decode_are_named_and_counted(tmp_path):
    message = (
        r"5 of 6 images in '.*' do not decode: cut.png, text.jpg, empty.png, float.tif, gone.png: "
        "repair or remove them, or set skip_undecodable = true"
    )
    with pytest.raises(UsageError, match=message):
        decode(broken_files(tmp_path), tmp_path, None, False)


def test_files_that_do_not_decode_are_left_out_if_asked(tmp_path):
    decoded = decode(broken_files(tmp_path), tmp_path, None, True)
    assert decoded.skipped == ("cut.png", "text.jpg", "empty.png", "float.tif", "gone.png")
    assert decoded.kept.tolist() == [1]
    assert decoded.images.shape == (1, 32, 32, 1)


@pytest.mark.parametrize("names", [["cut.png"], ["text.jpg"]])
def test_no_file_that_decodes_is_an_error_even_if_skipping(tmp_path, names):
    broken_files(tmp_path)
    with pytest.raises(UsageError, match=r"1 of 1 images in '.*' do not decode: \S+: repair or remove them$"):
        decode([tmp_path / name for name in names], tmp_path, None, True)
