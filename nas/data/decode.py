"""Decode image files into one uint8 array."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from nas.data.source import some
from search_spaces.errors import UsageError

GREY_MODES = frozenset({"1", "L", "LA", "La", "I;16", "I;16B", "I;16L"})
WIDE_MODES = frozenset({"I", "F"})


@dataclass(frozen=True)
class Decoded:
    """Decoded files.

    Attributes:
        images: uint8 (n, height, width, channels); one channel where every file is greyscale, otherwise three.
        kept: indices of the files that decoded, (n,), ascending.
        skipped: paths of the others, relative to the root.
    """

    images: NDArray[np.uint8]
    kept: NDArray[np.int64]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    mode: str
    height: int
    width: int


def decode(paths: Sequence[Path], root: Path, size: int | None, skip_undecodable: bool) -> Decoded:
    """Decode image files in a few threads.

    Args:
        paths: of the files.
        root: that they are named relative to.
        size: height and width in pixels that each is resized and centre-cropped to; None when all have one size.
        skip_undecodable: leave out files that do not decode.

    Raises:
        UsageError: files do not decode and are not to be skipped, none does, or they differ in size and ``size`` is
            None.
    """
    names = [path.relative_to(root).as_posix() for path in paths]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        headers = dict(enumerate(pool.map(_header, paths)))
        known = {index: header for index, header in headers.items() if header is not None}
        if not known:
            raise _undecodable(names, len(paths), root)
        height, width = (size, size) if size else _common_size([(names[index], known[index]) for index in known])
        num_channels = 1 if all(header.mode in GREY_MODES for header in known.values()) else 3
        images = np.zeros((len(paths), height, width, num_channels), dtype=np.uint8)
        done = list(pool.map(lambda index: _decode_into(images[index], paths[index]), known))
    kept = np.array(list(known), dtype=np.int64)[np.array(done, dtype=bool)]
    failed = np.setdiff1d(np.arange(len(paths)), kept)
    skipped = tuple(names[index] for index in failed)
    if skipped and (not skip_undecodable or not len(kept)):
        raise _undecodable(skipped, len(paths), root)
    return Decoded(images[kept] if skipped else images, kept, skipped)


def _header(path: Path) -> _Header | None:
    """Return what the file says of itself; None when it is not an image of 8 or 16 bits a channel."""
    try:
        with Image.open(path) as image:
            return None if image.mode in WIDE_MODES else _Header(image.mode, image.height, image.width)
    except Exception:  # Decoders raise anything on damaged bytes.
        return None


def _decode_into(out: NDArray[np.uint8], path: Path) -> bool:
    """Decode a file into ``out`` (height, width, channels); False when it does not decode."""
    height, width, num_channels = out.shape
    try:
        with Image.open(path) as image:
            converted = _eight_bit(image).convert("L" if num_channels == 1 else "RGB")
        if converted.size != (width, height):
            converted = ImageOps.fit(converted, (width, height), Image.Resampling.BILINEAR)
        out[:] = np.asarray(converted).reshape(out.shape)
    except Exception:  # Decoders raise anything on damaged bytes.
        return False
    return True


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return a 16-bit image by its upper 8 bits (PIL's own conversion clips) and a palette's colours."""
    if image.mode.startswith("I;16"):
        wide: NDArray[Any] = np.asarray(image)
        return Image.fromarray((wide >> 8).astype(np.uint8))
    # Straight to RGB, PIL warns of a palette with transparency.
    return image.convert("RGBA") if image.mode == "P" else image


def _common_size(headers: Sequence[tuple[str, _Header]]) -> tuple[int, int]:
    """Return the height and width that all named headers have."""
    first_name, first = headers[0]
    for name, header in headers:
        if (header.height, header.width) != (first.height, first.width):
            raise UsageError(
                f"images differ in size: {first_name} is {first.width} x {first.height}, {name} is "
                f"{header.width} x {header.height} (width x height): set size to the side in pixels of all"
            )
    return first.height, first.width


def _undecodable(names: Sequence[str], num_files: int, root: Path) -> UsageError:
    advice = ", or set skip_undecodable = true to leave them out" if len(names) < num_files else ""
    return UsageError(
        f"{len(names)} of {num_files} images in {str(root)!r} do not decode: {some(names)}: "
        f"repair or remove them{advice}"
    )
