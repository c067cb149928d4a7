from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas.quantisation.scheme import Range, round_weights
from nas.quantisation.simulate import LayerRanges, _quantise, calibrated_ranges, simulated, weighted_modules
from search_spaces.blueprint import Blueprint
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.precision import PRECISIONS, Precision, with_policy
from search_spaces.spaces import space

BASE = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=3, resolutions=(8,))
PLAIN = BASE.blueprint(BASE.smallest())


def quantised(layer: nn.Module, precision: Precision, images: torch.Tensor) -> nn.Module:
    network = nn.Sequential(layer).eval()
    ranges = calibrated_ranges(network, ["0"], [images]) if precision.is_integer_arithmetic else {}
    _quantise(layer, precision, ranges.get("0"))
    return network


def integers(values: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float, int]:
    """Return (unsigned bytes as int64, scale, zero point), in numpy."""
    scale = (max(high, 0) - min(low, 0)) / 255
    zero_point = round(-min(low, 0) / scale)
    return np.clip(np.rint(values / scale) + zero_point, 0, 255).astype(np.int64), scale, zero_point


def in_integers(rows: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return rows @ weights.T + bias in integer arithmetic alone: (n, inputs) by (outputs, inputs)."""
    x, x_scale, x_zero = integers(rows, float(rows.min()), float(rows.max()))
    exact = rows @ weights.T + bias
    w_scale = np.abs(weights).max(axis=1) / 127
    w = np.rint(weights / w_scale[:, None]).astype(np.int64)
    b = np.rint(bias / (x_scale * w_scale)).astype(np.int64)
    products = (x - x_zero) @ w.T + b
    low, high = float(exact.min()), float(exact.max())
    _, y_scale, y_zero = integers(exact, low, high)
    y = np.clip(np.rint(products * (x_scale * w_scale / y_scale)) + y_zero, 0, 255)
    return (y - y_zero) * y_scale


def test_a_linear_layer_is_integer_arithmetic() -> None:
    generator = torch.Generator().manual_seed(0)
    layer, images = nn.Linear(6, 4), torch.randn(16, 6, generator=generator)
    weights, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    expected = in_integers(images.double().numpy(), weights, bias)
    with torch.inference_mode():
        found = quantised(layer, PRECISIONS["int8"], images)(images).numpy()
    step = np.ptp(expected) / 255
    assert np.abs(found - expected).max() < 1.01 * step
    assert np.mean(np.abs(found - expected) < 0.01 * step) > 0.98


def test_a_convolution_is_integer_arithmetic() -> None:
    """A kernel as large as the image is a product of rows."""
    generator = torch.Generator().manual_seed(1)
    layer, images = nn.Conv2d(3, 5, 4), torch.randn(32, 3, 4, 4, generator=generator)
    weights, bias = layer.weight.detach().flatten(1).double().numpy(), layer.bias
    assert bias is not None
    expected = in_integers(images.flatten(1).double().numpy(), weights, bias.detach().double().numpy())
    with torch.inference_mode():
        found = quantised(layer, PRECISIONS["int8"], images)(images).flatten(1).numpy()
    step = np.ptp(expected) / 255
    assert np.abs(found - expected).max() < 1.01 * step
    assert np.mean(np.abs(found - expected) < 0.01 * step) > 0.98


def test_weights_alone_leave_activations_as_they_are() -> None:
    layer, images = nn.Linear(6, 4), torch.randn(16, 6, generator=torch.Generator().manual_seed(2))
    scales = layer.weight.detach().abs().amax(1, keepdim=True) / 7
    weights = torch.round(layer.weight.detach() / scales) * scales
    expected = images @ weights.T + layer.bias.detach()
    with torch.inference_mode():
        found = quantised(layer, PRECISIONS["int4_weights"], images)(images)
    assert torch.allclose(found, expected, atol=1e-6)


def test_bfloat16_rounds_weights_and_what_is_read() -> None:
    layer, images = nn.Linear(6, 4), torch.randn(16, 6, generator=torch.Generator().manual_seed(3))
    weights = layer.weight.detach().bfloat16().float()
    expected = images.bfloat16().float() @ weights.T + layer.bias.detach()
    with torch.inference_mode():
        assert torch.allclose(quantised(layer, PRECISIONS["bf16"], images)(images), expected, atol=1e-6)


def test_a_linear_map_of_tokens_keeps_its_product_in_float32() -> None:
    network = nn.Sequential(nn.Linear(4, 4))
    found = calibrated_ranges(network, ["0"], [torch.ones(2, 3, 4), -torch.ones(2, 3, 4)])
    assert found["0"] == LayerRanges(Range(-1.0, 1.0), None)


def test_layers_have_the_precision_of_their_block() -> None:
    blueprint = with_policy(PLAIN, {"stem": "int8", "head": "bf16"})
    found = weighted_modules(build(PLAIN), blueprint)
    assert found["stem.conv_stem.conv"] == PRECISIONS["int8"]
    assert {name.partition(".")[0] for name in found} == {"stem", "head"}
    assert {each for name, each in found.items() if name.startswith("head")} == {PRECISIONS["bf16"]}


def test_layers_of_a_block_have_their_own() -> None:
    project = "stage2.block1.mbconv.project.conv"
    found = weighted_modules(build(PLAIN), with_policy(PLAIN, {"stage2.block1": "int8", project: "int4_weights"}))
    assert found.pop(project) == PRECISIONS["int4_weights"]
    depthwise = "stage2.block1.mbconv.depthwise.conv"
    assert found == {"stage2.block1.mbconv.expand.conv": PRECISIONS["int8"], depthwise: PRECISIONS["int8"]}


def test_a_layer_alone_is_rounded() -> None:
    name = "stage2.block1.mbconv.project.conv"
    network, images = build(PLAIN).eval(), torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(4))
    found = simulated(network, with_policy(PLAIN, {name: "int4_weights"}), [images])
    plain = simulated(network, PLAIN, [images])
    for path, module in plain.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            weights = found.get_submodule(path).get_parameter("weight")
            assert torch.equal(weights, module.weight) == (path != name)
    weights = found.get_submodule(name).get_parameter("weight")
    assert torch.equal(weights, round_weights(plain.get_submodule(name).get_parameter("weight"), 4))


def test_a_network_of_float32_is_the_network() -> None:
    network, images = build(PLAIN).eval(), torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        assert torch.allclose(simulated(network, PLAIN, [images])(images), network(images), atol=1e-5)


@pytest.mark.parametrize("batches", [[], [torch.zeros(0, 1, 8, 8)]])
def test_no_calibration_image_is_an_error(batches: list[torch.Tensor]) -> None:
    blueprint: Blueprint = with_policy(PLAIN, {"stem": "int8"})
    with pytest.raises(UsageError, match="0 calibration images: give at least 1"):
        simulated(build(PLAIN), blueprint, batches)
