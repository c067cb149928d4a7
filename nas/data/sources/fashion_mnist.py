"""Fashion-MNIST from its four original files (Xiao, Rasul and Vollgraf 2017, https://arxiv.org/abs/1708.07747)."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse, required_path
from search_spaces.errors import StorageError, UsageError

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IMAGES_MAGIC = 0x00000803
LABELS_MAGIC = 0x00000801


@SOURCES.register("fashion_mnist")
def fashion_mnist(settings: DataSettings, _seed: int) -> SourceData:
    """Return the training and the test images of the four ``.gz`` files in the folder ``settings.path``.

    Raises:
        UsageError: a file is missing, cut short or not an idx file of images or labels.
        StorageError: a file can't be read.
    """
    refuse(settings, ["size", "skip_undecodable"])
    folder = required_path(settings, "the folder of the four .gz files of Fashion-MNIST")
    return SourceData(training=_set(folder, "train"), test=_set(folder, "t10k"), class_names=CLASS_NAMES)


def _set(folder: Path, name: str) -> LabelledImages:
    images = folder / f"{name}-images-idx3-ubyte.gz"
    labels = folder / f"{name}-labels-idx1-ubyte.gz"
    return LabelledImages(read_idx(images, IMAGES_MAGIC), read_idx(labels, LABELS_MAGIC), str(images))


def read_idx(path: Path, magic: int) -> NDArray[Any]:
    """Read a gzipped idx file of unsigned bytes: the magic number, the sizes (big-endian, 4 bytes each), the values.

    Args:
        path: of the file.
        magic: what the first four bytes must be; the last of them is the number of axes.

    Raises:
        UsageError: the file is missing, is cut short, or starts with another number.
        StorageError: it can't be read.
    """
    content = _unzipped(path)
    start = 4 * (1 + (magic & 0xFF))
    found = int.from_bytes(content[:4], "big")
    if found != magic:
        raise UsageError(f"{path}: magic number 0x{found:08x}, expected 0x{magic:08x}: give the original idx file")
    shape = [int.from_bytes(content[place : place + 4], "big") for place in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        raise UsageError(
            f"{path}: {max(0, len(content) - start)} bytes of values for sizes {shape}: the file is cut short "
            "or damaged: fetch it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _unzipped(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{path} is missing: the folder must hold the four .gz files of Fashion-MNIST") from None
    except OSError as error:
        raise StorageError(f"{path} can't be read: {error.strerror}") from None
    try:
        return gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{path} is not a whole gzip file ({error}): fetch it again") from None
