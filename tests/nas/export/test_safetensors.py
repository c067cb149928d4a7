from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_export import FAMILIES, random_images, random_network

from nas.export.safetensors import ARCHITECTURE_FILE, HEADER_KEY, MODEL_FILE, ModelInfo, load_model, write_model
from nas.training.checkpoint import load_tensors, save_tensors
from search_spaces.building import build
from search_spaces.errors import StorageError, UsageError
from search_spaces.spaces import load_architecture

Tensors = dict[str, Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    module, info = random_network("ofa_mobilenet")
    write_model(tmp_path, module, info)
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("family", FAMILIES)
def test_a_reloaded_network_is_the_same_bit_for_bit(family: str, seed: int, tmp_path: Path) -> None:
    module, info = random_network(family, seed)
    write_model(tmp_path, module, info)
    loaded, found = load_model(tmp_path)
    assert found == info
    assert not loaded.training
    assert list(loaded.state_dict()) == list(module.state_dict())
    for num in (1, 7):
        images = info.prepare(random_images(num))
        with torch.inference_mode():
            logits = module(images)
            assert logits.isfinite().all()
            assert torch.equal(loaded(images), logits)


def test_a_reloaded_network_can_be_trained_on(folder: Path) -> None:
    module, info = load_model(folder)
    module.train()
    module(info.prepare(random_images(4))).sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_a_network_outside_its_space_has_a_blueprint_alone(tmp_path: Path) -> None:
    _, info = random_network("ofa_mobilenet")
    blueprint = replace(info.blueprint, resolution=(20, 20))
    write_model(tmp_path, build(blueprint), ModelInfo(blueprint, info.mean, info.std, info.class_names))
    loaded, found = load_model(tmp_path)
    assert found.architecture is None
    assert found.blueprint == blueprint
    assert loaded(found.prepare(random_images(2))).shape == (2, 3)


def test_the_json_alone_says_what_the_network_is(folder: Path) -> None:
    _, info = random_network("ofa_mobilenet")
    content = json.loads((folder / ARCHITECTURE_FILE).read_text())
    found, architecture = load_architecture(json.dumps(content["architecture"]))
    assert found.blueprint(architecture) == info.blueprint
    assert content["class_names"] == ["a", "b|c", "d"]
    assert content["mean"] == [0.25, 0.5]
    assert content["blueprint"]["resolution"] == [16, 16]
    _, header = load_tensors(folder / MODEL_FILE)
    assert header[HEADER_KEY] == content


def test_images_of_any_size_are_prepared(folder: Path) -> None:
    _, info = load_model(folder)
    images = torch.full((1, 2, 9, 31), 51, dtype=torch.uint8)
    prepared = info.prepare(images)
    assert prepared.shape == (1, 2, 16, 16)
    torch.testing.assert_close(prepared[0, :, 0, 0], torch.tensor([(0.2 - 0.25) / 0.2, (0.2 - 0.5) / 0.3]))


def test_a_module_that_is_not_the_blueprints_is_not_written(tmp_path: Path) -> None:
    _, info = random_network("ofa_mobilenet", seed=0)
    other, _ = random_network("autoformer")
    with pytest.raises(UsageError, match=r"the module: tensor '.*' is (absent|float32.*), the architecture needs"):
        write_model(tmp_path, other, info)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_refused(folder: Path, share: float) -> None:
    path = folder / MODEL_FILE
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert MODEL_FILE in refusal(folder)


def test_a_flipped_bit_is_refused(folder: Path) -> None:
    path = folder / MODEL_FILE
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    assert "checksum" in refusal(folder)


def test_a_pickle_is_refused_unread(folder: Path) -> None:
    module, _ = random_network("ofa_mobilenet")
    torch.save(module.state_dict(), folder / MODEL_FILE)
    assert "no file of this program" in refusal(folder)


def test_missing_files_are_named(folder: Path) -> None:
    (folder / MODEL_FILE).unlink()
    assert MODEL_FILE in refusal(folder)
    (folder / ARCHITECTURE_FILE).unlink()
    assert f"{ARCHITECTURE_FILE} can't be read" in refusal(folder)
    assert "give the folder of an exported model" in refusal(folder / "nowhere")


def test_files_of_two_exports_are_refused(folder: Path, tmp_path: Path) -> None:
    module, info = random_network("ofa_mobilenet")
    write_model(tmp_path / "other", module, replace(info, class_names=("x", "y", "z")))
    (tmp_path / "other" / ARCHITECTURE_FILE).replace(folder / ARCHITECTURE_FILE)
    assert "describe different networks: take both files of one export" in refusal(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "Invalid JSON"),
        ("[]", "should be an object"),
        ('{"format": 1}', "architecture: Field required"),
        ('{"extra": 1}', "Field required"),
    ],
)
def test_another_json_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / ARCHITECTURE_FILE).write_text(text)
    message = refusal(folder)
    assert message.startswith(ARCHITECTURE_FILE)
    assert said in message
    assert "with keys format, architecture, blueprint" in message


def rewrite(folder: Path, tensors: Callable[[Tensors], object], content: Callable[[Any], object]) -> None:
    """Write both files again, changed alike, so that only what they say is wrong."""
    found, header = load_tensors(folder / MODEL_FILE)
    tensors(found)
    content(header[HEADER_KEY])
    save_tensors(folder / MODEL_FILE, found, header)
    (folder / ARCHITECTURE_FILE).write_text(json.dumps(header[HEADER_KEY]))


def nothing(_: object) -> None:
    pass


NAME = "head.mobile_head.classifier.bias"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop(NAME), f"tensor '{NAME}' is absent, the architecture needs float32 [3]"),
        (lambda t: t.update(more=torch.zeros(2)), "tensor 'more' is float32 [2], the architecture needs absent"),
        (lambda t: t.update({NAME: torch.zeros(4)}), f"tensor '{NAME}' is float32 [4], the architecture needs"),
        (lambda t: t.update({NAME: t[NAME].half()}), f"tensor '{NAME}' is float16 [3], the architecture needs"),
    ],
)
def test_tensors_that_differ_are_named(folder: Path, change: Callable[[Tensors], object], said: str) -> None:
    rewrite(folder, change, nothing)
    assert said in refusal(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["blueprint"]["stages"][1].update(width=10**6), "the architecture needs float32"),
        (lambda c: c["blueprint"]["stages"][1]["blocks"][0].update(kind="mbconf"), "did you mean 'mbconv'"),
        (lambda c: c["blueprint"]["stages"][1]["blocks"][0].update(colour=3), "can't be built"),
        (lambda c: c["blueprint"]["stages"][1]["blocks"][0].update(stride=0), "can't be built"),
        (lambda c: c["blueprint"].pop("stem"), "the blueprint can't be read"),
        (lambda c: c["architecture"].update(space="ofa_mobilnet"), "did you mean 'ofa_mobilenet'"),
    ],
)
def test_descriptions_that_mean_no_network_are_refused(
    folder: Path, change: Callable[[Any], object], said: str
) -> None:
    rewrite(folder, nothing, change)
    assert said in refusal(folder)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    module, info = random_network("ofa_mobilenet")
    with pytest.raises(StorageError, match=r"can't write .*file"):
        write_model(tmp_path / "file", module, info)
