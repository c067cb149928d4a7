from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from toy_export import Exported, random_images, random_network

from nas.export.onnx import ONNX_FILE, OPSET, check_onnx, write_onnx
from search_spaces.errors import NasError, UsageError


def logits_of(exported: Exported, images: Tensor) -> Any:
    session = onnxruntime.InferenceSession(str(exported.folder / ONNX_FILE), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"image": images.contiguous().numpy()})[0]


@pytest.mark.parametrize("num", [1, 7])
def test_onnx_gives_the_modules_logits_at_any_batch_size(exported: Exported, num: int) -> None:
    images = exported.info.prepare(random_images(num))
    with torch.inference_mode():
        expected = exported.module(images).numpy()
    found = logits_of(exported, images)
    assert found.shape == (num, 3)
    assert np.ptp(expected) > 1e-3
    assert np.abs(found - expected).max() < 1e-4


def test_the_file_says_its_input_and_output_and_holds_no_batch_norm(exported: Exported) -> None:
    model = onnx.load(exported.folder / ONNX_FILE)
    (entry,) = model.graph.input
    dims = entry.type.tensor_type.shape.dim
    assert (entry.name, [d.dim_param or d.dim_value for d in dims]) == ("image", ["batch", 2, 16, 16])
    (result,) = model.graph.output
    assert (result.name, [d.dim_param or d.dim_value for d in result.type.tensor_type.shape.dim]) == (
        "logits",
        ["batch", 3],
    )
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    operators = Counter(node.op_type for node in model.graph.node)
    assert not operators["BatchNormalization"]


def test_the_file_names_no_path_of_the_machine(exported: Exported) -> None:
    content = (exported.folder / ONNX_FILE).read_bytes()
    assert b".py" not in content
    assert str(Path(torch.__file__).parent).encode() not in content


def test_a_check_states_difference_accuracy_and_agreement(exported: Exported) -> None:
    batches = [exported.info.prepare(random_images(num, seed=num)) for num in (20, 13)]
    with torch.inference_mode():
        predicted = torch.cat([exported.module(batch) for batch in batches]).argmax(1)
    labels = predicted.clone()
    labels[:3] = (labels[:3] + 1) % 3
    module = copy.deepcopy(exported.module).train()
    report = check_onnx(exported.folder / ONNX_FILE, module, batches, labels)
    assert module.training
    assert 0 <= report.max_abs_difference < 1e-4
    assert report.module_score == pytest.approx(100 * 30 / 33)
    assert report.score == pytest.approx(100 * 30 / 33)
    assert report.agreement_percent == 100
    assert (report.num_images, report.opset) == (33, OPSET)
    assert report.onnxruntime_version == onnxruntime.__version__


def test_a_check_sees_another_networks_file(exported: Exported) -> None:
    other, info = random_network(exported.info.blueprint.family, seed=3)
    images = info.prepare(random_images(50))
    report = check_onnx(exported.folder / ONNX_FILE, other, [images], torch.zeros(50, dtype=torch.long))
    assert report.max_abs_difference > 1e-3
    assert report.score != report.module_score or report.agreement_percent < 100


def test_writing_is_silent_and_leaves_the_module_as_it_was(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    module = Tiny().train()
    write_onnx(tmp_path / "a.onnx", module, random_network("autoformer")[1].blueprint)
    write_onnx(tmp_path / "b.onnx", module, random_network("autoformer")[1].blueprint)
    assert capfd.readouterr() == ("", "")
    assert module.training
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert sorted(child.name for child in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


class Tiny(nn.Module):
    """Mean of all pixels, three times; in training mode it would be random."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.dropout(x.mean((2, 3))))
        return out


class FixesTheBatch(Tiny):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + torch.ones(1, 3).expand(len(x), 3)


class HasNoOnnxForm(Tiny):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.eigvals(super().forward(x)[:, :, None] * torch.ones(3)).real


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (FixesTheBatch(), "for any batch size: a block fixes it"),
        (HasNoOnnxForm(), "can't be written as ONNX: .*linalg_eig"),
    ],
)
def test_what_onnx_cannot_hold_is_an_error_and_no_file(module: nn.Module, said: str, tmp_path: Path) -> None:
    with pytest.raises(NasError, match=said) as caught:
        write_onnx(tmp_path / ONNX_FILE, module, random_network("autoformer")[1].blueprint)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_a_file_that_is_no_onnx_model_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.onnx is no ONNX model .*export the network again") as caught:
        check_onnx(path, Tiny(), [torch.zeros(1, 2, 16, 16)], torch.zeros(1, dtype=torch.long))
    assert "\n" not in str(caught.value)
