"""A quantised file: what onnxruntime computes from it, what it weighs, and what it can't be made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from toy_export import random_images, random_network

from nas.export.onnx import check_onnx
from nas.export.quantised_onnx import write_quantised_onnx
from nas.quantisation.simulate import simulated, weighted_modules
from search_spaces.block import network_layers
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layer_names import layer_names
from search_spaces.precision import PRECISIONS, policy_of, precision, size_bytes, with_policy

BYTES_A_RANGE = 5
"""The scale and zero point of a tensor of activations: what the closed form leaves out, beside shapes."""
BITS = {onnx.TensorProto.INT4: 4, onnx.TensorProto.BFLOAT16: 16}


@dataclass(frozen=True)
class Quantised:
    path: Path
    module: nn.Module
    blueprint: Blueprint
    calibration: list[Tensor]
    images: Tensor

    @property
    def simulated(self) -> nn.Module:
        return simulated(self.module, self.blueprint, self.calibration)


@pytest.fixture(scope="module", params=["ofa_mobilenet blocks", "ofa_mobilenet layers", "vit layers"])
def quantised(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Quantised:
    """A network whose blocks, or the layers of each of them, have all five precisions in turn."""
    family, granularity = request.param.split()
    module, info = random_network(family)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            # The exporter drops biases of zeros, and keeps equal ones (and equal weights of norms) once.
            if name.endswith("bias"):
                parameter.normal_(0, 0.1, generator=generator)
            elif name.endswith("norm.weight") and parameter.ndim == 1 and family == "vit":
                parameter.normal_(1, 0.1, generator=generator)
    names = list(policy_of(info.blueprint))
    if granularity == "layers":
        names = [name for placed in info.blueprint.placed() for name in layer_names(placed)]
    precisions = ["int8", "int4_weights", "bf16", "int8_weights", "fp32"]
    blueprint = with_policy(info.blueprint, {name: precisions[i % 5] for i, name in enumerate(names)})
    assert set(policy_of(blueprint).values()) == set(PRECISIONS)
    calibration = [info.prepare(random_images(32, seed)) for seed in (1, 2)]
    path = tmp_path_factory.mktemp(family) / "model.onnx"
    write_quantised_onnx(path, module, blueprint, calibration)
    return Quantised(path, module, blueprint, calibration, info.prepare(random_images(200, 3)))


def test_onnxruntime_computes_what_is_simulated(quantised: Quantised) -> None:
    labels = torch.arange(200) % 3
    report = check_onnx(quantised.path, quantised.simulated, [quantised.images], labels)
    assert report.agreement_percent >= 98.0
    session = onnxruntime.InferenceSession(str(quantised.path), providers=["CPUExecutionProvider"])
    found = session.run(["logits"], {"image": quantised.images.contiguous().numpy()})[0]
    assert report.score == 100 * np.mean(found.argmax(1) == labels.numpy())
    with torch.inference_mode():
        expected = quantised.simulated(quantised.images).numpy()
        plain = quantised.module(quantised.images).numpy()
    apart, lost = np.abs(found - expected), np.abs(expected - plain)
    assert lost.mean() > 1e-3
    # Nearly all of what quantisation changes is simulated; the rest are sums that round the other way.
    assert apart.mean() < 0.1 * lost.mean()


def test_the_constants_take_the_bytes_of_the_closed_form(quantised: Quantised) -> None:
    model = onnx.load(quantised.path)
    found = sum(-(-int(np.prod(each.dims)) * _bits(each) // 8) for each in model.graph.initializer)
    layers = weighted_modules(quantised.module, quantised.blueprint)
    num_ranges = 2 * sum(each.is_integer_arithmetic for each in layers.values())
    shapes = sum(8 * int(np.prod(each.dims)) for each in model.graph.initializer if each.data_type == 7)
    expected = size_bytes(network_layers(quantised.blueprint))
    assert 0.0 <= found - expected <= BYTES_A_RANGE * num_ranges + shapes + 0.02 * expected


def _bits(tensor: onnx.TensorProto) -> int:
    return BITS.get(tensor.data_type) or 8 * np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize


def test_only_int8_layers_are_in_integer_arithmetic(quantised: Quantised) -> None:
    model = onnx.load(quantised.path)
    operators = Counter(node.op_type for node in model.graph.node)
    layers = weighted_modules(quantised.module, quantised.blueprint)
    integer = sum(precision_.is_integer_arithmetic for precision_ in layers.values())
    assert 0 < integer < len(layers)
    weights = [
        each for each in model.graph.initializer if each.data_type == onnx.TensorProto.INT8 and len(each.dims) > 1
    ]
    assert len(weights) == sum(each.weight_bits == 8 for each in layers.values())
    assert operators["QuantizeLinear"] <= 2 * integer
    assert not any(node.metadata_props for node in model.graph.node)


def test_precisions_of_the_fixture_are_known() -> None:
    assert [precision(name).weight_bits for name in PRECISIONS] == [4, 8, 8, 16, 32]


def test_no_calibration_image_is_an_error(tmp_path: Path) -> None:
    module, info = random_network("ofa_mobilenet")
    with pytest.raises(UsageError, match="0 calibration images: give at least 1"):
        write_quantised_onnx(tmp_path / "model.onnx", module, with_policy(info.blueprint, {"stem": "int8"}), [])
    assert list(tmp_path.iterdir()) == []
