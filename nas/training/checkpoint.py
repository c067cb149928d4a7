"""Checkpoints: one safetensors file each, its metadata in the header, replaced in one step; the last two are kept."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nas.files import replacing
from search_spaces.errors import StorageError, UsageError

NAME = re.compile(r"step-(\d{8})\.safetensors")
KEPT = 2


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write ``tensors`` and ``metadata`` to ``path`` at once: a kill leaves the old file or the new one.

    Raises:
        StorageError: the folder can't be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"nas": json.dumps({**metadata, "crc32": _checksum(tensors)})}
    try:
        with replacing(path) as temporary:
            save_file(tensors, temporary, header)
    except SafetensorError as error:
        raise StorageError(f"can't write {path}: {error}: free space or choose another folder") from None


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return (tensors, metadata) of a file that ``save_tensors`` wrote.

    Raises:
        UsageError: it is missing, cut short, damaged, or not such a file.
        StorageError: the disk or the file's permissions forbid to read it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = dict(json.loads(header["nas"]))
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}: give the path of a file that this program wrote") from None
    except OSError as error:
        raise StorageError(f"can't read {path}: {error}: see to its permissions and its disk") from None
    except (SafetensorError, KeyError, ValueError) as error:
        raise UsageError(f"{path.name} can't be read ({error}): it is cut short or no file of this program") from None
    if metadata.pop("crc32", None) != _checksum(tensors):
        raise UsageError(f"{path.name} is damaged: the checksum of its tensors differs from the stored one")
    return tensors, metadata


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file of any origin.

    Raises:
        UsageError: it is missing, cut short or no such file.
        StorageError: the disk or the file's permissions forbid to read it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}: give the path of a safetensors file") from None
    except OSError as error:
        raise StorageError(f"can't read {path}: {error}: see to its permissions and its disk") from None
    except SafetensorError as error:
        raise UsageError(f"{path.name} can't be read ({error}): it is cut short or no safetensors file") from None


def save_checkpoint(folder: Path, step: int, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> Path:
    """Write the checkpoint of ``step``; of those before it, only the last is kept.

    Later ones are left alone: they can't be read, or training would have gone on from there.

    Raises:
        StorageError: the folder can't be written.
    """
    path = folder / f"step-{step:08d}.safetensors"
    save_tensors(path, tensors, {**metadata, "step": step})
    before = [other for other in _checkpoints(folder) if other.name < path.name]
    # A run that was killed while it wrote left its temporary file, as large as a checkpoint.
    for old in [*before[KEPT - 1 :], *folder.glob(".step-*.partial")]:
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(
    folder: Path, warn: Callable[[str], None]
) -> tuple[dict[str, Tensor], dict[str, Any]] | tuple[None, None]:
    """Return the newest checkpoint that can be read, or (None, None); a damaged one is named to ``warn``.

    Raises:
        StorageError: a file can't be read for a reason that is not its content.
    """
    found = _checkpoints(folder)
    for number, path in enumerate(found, start=1):
        try:
            return load_tensors(path)
        except UsageError as error:
            instead = f"{found[number].name} is used" if number < len(found) else "training begins anew"
            warn(f"checkpoint {error}; {instead}")
    return None, None


def _checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of ``folder``, newest first."""
    found = [path for path in folder.glob("step-*.safetensors") if NAME.fullmatch(path.name)]
    return sorted(found, reverse=True)


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        content: NDArray[np.uint8] = tensors[name].reshape(-1).view(torch.uint8).numpy()
        value = zlib.crc32(content.data, value)
    return value
