"""Files that are not what they are called are refused before anything is made of them."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import pytest

from nas.export.safetensors import ARCHITECTURE_FILE, MODEL_FILE, load_model
from search_spaces.errors import UsageError

HOSTILE = {
    "pickle": pickle.dumps({"weight": [1.0] * 1000}),
    "header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "header longer than the file": struct.pack("<Q", 10**9) + b"{}",
    "deep header": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "empty": b"",
    "torn header": struct.pack("<Q", 100) + b'{"a":',
}


@pytest.fixture
def model(study, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    copy = study.copied(tmp_path / "copy")
    [folder, *_] = sorted((copy.folder / "models").iterdir())
    return folder


@pytest.mark.parametrize("kind", HOSTILE)
def test_weights_that_are_no_safetensors_are_refused(model: Path, kind: str) -> None:
    (model / MODEL_FILE).write_bytes(HOSTILE[kind])
    with pytest.raises(UsageError):
        load_model(model)


@pytest.mark.parametrize("text", ["[" * 100_000, json.dumps({"a": 1}), "{", "\x00", "!!python/object:os.system"])
def test_an_architecture_that_is_no_such_json_is_refused(model: Path, text: str) -> None:
    (model / ARCHITECTURE_FILE).write_text(text)
    with pytest.raises(UsageError):
        load_model(model)
