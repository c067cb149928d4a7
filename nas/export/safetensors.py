"""A network as files that anything reads: ``model.safetensors`` and, beside it, ``architecture.json``.

The header of the weights holds the same description as the JSON file, so that the two can't be mixed up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn

from nas.data.batches import prepare
from nas.files import write_text
from nas.training.checkpoint import load_tensors, save_tensors
from search_spaces.architecture import Architecture
from search_spaces.block import module_of
from search_spaces.blueprint import Blueprint, blueprint_from_dict
from search_spaces.building import Network
from search_spaces.errors import UsageError
from search_spaces.spaces import load_architecture

MODEL_FILE = "model.safetensors"
ARCHITECTURE_FILE = "architecture.json"
HEADER_KEY = "model"


@dataclass(frozen=True)
class ModelInfo:
    """What a model's weights do not say.

    Attributes:
        blueprint: the network.
        mean, std: of each input channel, in 0..1; the network takes (image / 255 - mean) / std.
        class_names: in the order of the logits.
        architecture: the choice of knobs; None for a network outside its space (a scaled one).
        metadata: anything else worth keeping, as plain JSON data.
    """

    blueprint: Blueprint
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]
    architecture: Architecture | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def prepare(self, images: Tensor) -> Tensor:
        """Return uint8 images (n, channels, height, width) of any size as the network takes them."""
        return prepare(images, self.blueprint.resolution, self.mean, self.std)


class _Content(BaseModel):
    """The JSON of a ``ModelInfo``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    architecture: dict[str, Any] | None
    blueprint: dict[str, Any]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]
    metadata: dict[str, Any]


def write_model(folder: Path, module: nn.Module, info: ModelInfo) -> None:
    """Write ``model.safetensors`` (description in its header) and ``architecture.json`` into ``folder``.

    Raises:
        UsageError: ``module`` is not the network of ``info.blueprint``.
        StorageError: the folder can't be written.
    """
    tensors = module.state_dict()
    _require_same("the module", tensors, _on_meta(info.blueprint).state_dict())
    content = _content(info).model_dump(mode="json")
    save_tensors(folder / MODEL_FILE, tensors, {HEADER_KEY: content})
    write_text(folder / ARCHITECTURE_FILE, json.dumps(content, indent=1, sort_keys=True) + "\n")


def load_model(folder: Path | str) -> tuple[Network, ModelInfo]:
    """Return the network that ``write_model`` wrote, on the CPU in evaluation mode, and its description.

    Nothing is allocated before the names and shapes in the file are those of the architecture.

    Raises:
        UsageError: a file is missing, damaged or of another kind, or the two are not of one network.
    """
    folder = Path(folder)
    content = _read(folder / ARCHITECTURE_FILE)
    tensors, metadata = load_tensors(folder / MODEL_FILE)
    if metadata.get(HEADER_KEY) != content.model_dump(mode="json"):
        raise UsageError(
            f"{ARCHITECTURE_FILE} and {MODEL_FILE} describe different networks: take both files of one export"
        )
    info = _info(content)
    network = _on_meta(info.blueprint)
    _require_same(MODEL_FILE, tensors, network.state_dict())
    network.to_empty(device="cpu")
    network.load_state_dict(tensors, strict=True)
    return network.eval(), info


def _content(info: ModelInfo) -> _Content:
    return _Content(
        architecture=json.loads(info.architecture.to_json()) if info.architecture else None,
        blueprint=info.blueprint.to_dict(),
        mean=info.mean,
        std=info.std,
        class_names=info.class_names,
        metadata=dict(info.metadata),
    )


def _info(content: _Content) -> ModelInfo:
    return ModelInfo(
        blueprint=blueprint_from_dict(content.blueprint),
        mean=content.mean,
        std=content.std,
        class_names=content.class_names,
        architecture=load_architecture(json.dumps(content.architecture))[1] if content.architecture else None,
        metadata=content.metadata,
    )


def _read(path: Path) -> _Content:
    try:
        return _Content.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path.name} can't be read ({error.strerror}): give the folder of an exported model"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(
            f"{path.name}, {where}: {first['msg']}: expected the JSON that an export wrote, "
            f"with keys {', '.join(_Content.model_fields)}"
        ) from None


def _on_meta(blueprint: Blueprint) -> Network:
    """Return the network without storage; UsageError where its blocks refuse their settings."""
    try:
        with torch.device("meta"):
            return Network([(placed, module_of(placed)) for placed in blueprint.placed()])
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"the blueprint can't be built ({reason}): take the {ARCHITECTURE_FILE} of an export"
        ) from None


def _require_same(what: str, found: Mapping[str, Tensor], needed: Mapping[str, Tensor]) -> None:
    for name in sorted({*found, *needed}):
        given, wanted = _described(found.get(name)), _described(needed.get(name))
        if given != wanted:
            raise UsageError(
                f"{what}: tensor {name!r} is {given}, the architecture needs {wanted}: use its own weights"
            )


def _described(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
