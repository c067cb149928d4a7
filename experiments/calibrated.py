"""A calibrated latency model in a folder: model.json, and the numbers of its arrays in model.safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from predictors.target import Target
from search_spaces.errors import StorageError, UsageError

if TYPE_CHECKING:
    from predictors.choosing import Predictor
    from search_spaces.architecture import Architecture
    from search_spaces.space import SearchSpace

FORMAT, VERSION = "nas-latency-model", 1
JSON_FILE, ARRAYS_FILE = "model.json", "model.safetensors"
MARK = "array:"


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A latency model and what it was made from.

    Attributes:
        target: with the device's facts, which the model's features are computed from.
        space: name and settings of the space, as JSON text.
        networks: canonical JSON of the measured architectures. measured_ms: their latencies, (n,).
        model: fitted on them.
        checks: errors on networks that it was not fitted to, and versions, as a person reads them.
    """

    target: Target
    space: tuple[str, str]
    networks: tuple[str, ...]
    measured_ms: NDArray[np.float64]
    model: Predictor
    checks: Mapping[str, Any]

    def architectures(self, space: SearchSpace) -> list[Architecture]:
        """Return the measured networks as architectures of ``space``."""
        from search_spaces.architecture import read_architecture

        return [space.architecture(read_architecture(text)[2]) for text in self.networks]


def write_calibrated(found: Calibrated, folder: Path) -> Path:
    """Write ``found`` into ``folder``, which is made, and return it.

    Raises:
        StorageError: the folder can't be written.
    """
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[np.float64]] = {}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "target": found.target.model_dump(mode="json"),
        "space": {"name": found.space[0], "settings": json.loads(found.space[1])},
        "networks": [json.loads(text) for text in found.networks],
        "measured_ms": found.measured_ms.tolist(),
        "obtained": "measured",
        "model": _without_arrays(found.model.to_dict(), "model", arrays),
        "checks": dict(found.checks),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(arrays, folder / ARRAYS_FILE, {"format": FORMAT, "target": found.target.name})
        (folder / JSON_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"can't write {folder} ({error.strerror}): give another with --out") from None
    return folder


def read_calibrated(folder: Path) -> Calibrated:
    """Return the model of ``folder``.

    Raises:
        UsageError: the folder holds no such model.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from predictors.choosing import stored_model

    try:
        content = json.loads((folder / JSON_FILE).read_text(encoding="utf-8"))
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError(f"its format is {content['format']!r}, version {content['version']!r}")
        arrays = load_file(folder / ARRAYS_FILE)
        return Calibrated(
            Target.model_validate(content["target"]),
            (content["space"]["name"], _canonical(content["space"]["settings"])),
            tuple(_canonical(each) for each in content["networks"]),
            np.array(content["measured_ms"], dtype=np.float64),
            stored_model(_with_arrays(content["model"], arrays)),
            content["checks"],
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{folder} holds no calibrated model ({reason}): give a folder of nas calibrate") from None


def find_calibrated(folders: Sequence[str], target: str, space: SearchSpace) -> Calibrated | None:
    """Return the model of ``target`` and ``space`` among ``folders``, or None if there is none of that target.

    Raises:
        UsageError: a folder holds no model, or the one of that target is of another space.
    """
    for folder in folders:
        found = read_calibrated(Path(folder))
        if found.target.name != target:
            continue
        if found.space != (space.name, _canonical(json.loads(space.settings_json))):
            raise UsageError(
                f"latency.models: {folder} is of space {found.space[0]} {found.space[1]}, the study searches "
                f"{space.name} {space.settings_json}: calibrate that one"
            )
        return found
    return None


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _without_arrays(content: Any, path: str, arrays: dict[str, NDArray[np.float64]]) -> Any:
    """Return ``content`` with its lists of numbers moved to ``arrays``, each under the path that stands for it."""
    if isinstance(content, dict):
        return {key: _without_arrays(value, f"{path}.{key}", arrays) for key, value in content.items()}
    if not isinstance(content, list) or not content:
        return content
    if _are_numbers(content):
        arrays[path] = np.array(content, dtype=np.float64)
        return f"{MARK}{path}"
    return [_without_arrays(value, f"{path}.{index}", arrays) for index, value in enumerate(content)]


def _are_numbers(content: list[Any]) -> bool:
    """Return whether ``content`` is a list, or a rectangle of lists, of floats alone."""
    if all(type(value) is float for value in content):
        return True
    rows = all(isinstance(row, list) and row and all(type(value) is float for value in row) for row in content)
    return rows and len({len(row) for row in content}) == 1


def _with_arrays(content: Any, arrays: Mapping[str, NDArray[np.float64]]) -> Any:
    if isinstance(content, dict):
        return {key: _with_arrays(value, arrays) for key, value in content.items()}
    if isinstance(content, list):
        return [_with_arrays(value, arrays) for value in content]
    if isinstance(content, str) and content.startswith(MARK):
        return arrays[content.removeprefix(MARK)].tolist()
    return content
