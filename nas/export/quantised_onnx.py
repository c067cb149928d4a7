"""A quantised network as ONNX: int8 layers by ONNX Runtime's own quantiser, the other precisions by casts of weights.

``int8`` layers become QuantizeLinear/DequantizeLinear pairs around the operator (static, per channel), which ONNX
Runtime runs in integer arithmetic. Weights of ``int4_weights``, ``int8_weights`` and ``bf16`` are stored at their size
and made float32 by Cast (and Mul by their scales) when a session opens: onnxruntime 1.32 folds those, while it keeps a
DequantizeLinear of weights alone and runs such a convolution 9 times slower. It has no integer kernel for 4 bits.
"""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas.export.onnx import INPUT, OUTPUT, exported_model, save_model
from nas.quantisation.fold import folded
from nas.quantisation.scheme import channel_scales, weight_integers
from nas.quantisation.simulate import weighted_modules
from search_spaces.blueprint import Blueprint
from search_spaces.errors import NasError, UsageError
from search_spaces.precision import Precision

OPSET = 21
"""The first with integers of four bits."""
OPERATORS = ("Conv", "Gemm", "MatMul")


def write_quantised_onnx(
    path: Path, module: nn.Module, blueprint: Blueprint, calibration: Sequence[Tensor], output: str = OUTPUT
) -> None:
    """Write ``module`` at the precisions of ``blueprint``: ``image`` float32 (N, C, H, W), normalised, to ``output``.

    Args:
        path: of the file.
        module: the network in float32, with BatchNorm statistics.
        blueprint: of the network.
        calibration: prepared images, float32 (n, channels, height, width) each.
        output: name of what the network gives.

    Raises:
        UsageError: there is no calibration image.
        NasError: an operation has no ONNX form, or a layer that has a precision is no operator of the graph.
        StorageError: the folder can't be written.
    """
    if not sum(len(batch) for batch in calibration):
        raise UsageError("quantisation got 0 calibration images: give at least 1: see data.calibration_images")
    plain = folded(copy.deepcopy(module).cpu(), calibration[0][:1].cpu())
    model = exported_model(plain, blueprint, OPSET, output)
    layers = weighted_modules(plain, blueprint)
    nodes = _nodes_of(model, layers)
    _own_inputs(model, set(nodes))
    integer = [node for node, name in nodes.items() if layers[name].is_integer_arithmetic]
    if integer:
        model = _statically_quantised(model, integer, calibration)
    for node in list(model.graph.node):
        if node.name in nodes and node.name not in integer:
            name = nodes[node.name]
            _store_weights(model, node, plain.get_submodule(name), layers[name])
    save_model(path, model)


def _nodes_of(model: Any, layers: Mapping[str, Precision]) -> dict[str, str]:
    """Return the module's name of each node that multiplies by the weights of one of ``layers``, by the node's name.

    The exporter notes the modules that a node comes from.
    """
    found = {}
    for node in model.graph.node:
        scopes = [each.value for each in node.metadata_props if each.key == "pkg.torch.onnx.name_scopes"]
        if node.op_type in OPERATORS and scopes:
            name = next((name for name in layers if f"'{name}'" in scopes[0]), None)
            if name is not None:
                found[node.name] = name
    if missing := sorted(set(layers) - set(found.values())):
        raise NasError(
            f"layer {missing[0]!r} is no Conv, Gemm or MatMul of the ONNX graph: fix it or its block at fp32"
        )
    return found


def _own_inputs(model: Any, names: set[str]) -> None:
    """Give each named node an input of its own: the quantiser rounds a tensor for all that read it."""
    from onnx import helper

    readers: dict[str, int] = {}
    for node in model.graph.node:
        for tensor in node.input:
            readers[tensor] = readers.get(tensor, 0) + 1
    found = []
    for node in model.graph.node:
        tensor = node.input[0] if node.name in names else ""
        if readers.get(tensor, 0) > 1:
            own = f"{tensor}_of_{node.name}"
            found.append(helper.make_node("Identity", [tensor], [own], name=f"own_{node.name}"))
            node.input[0] = own
        found.append(node)
    del model.graph.node[:]
    model.graph.node.extend(found)


def _statically_quantised(model: Any, nodes: Sequence[str], calibration: Sequence[Tensor]) -> Any:
    """Return the model with ``nodes`` in integer arithmetic, by ONNX Runtime's quantiser and its own calibration."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(calibration)

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch.cpu().contiguous().numpy()}

    logger = logging.getLogger()
    level = logger.level
    # It advises, on the root logger, a preparation that the exporter has done already.
    logger.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model.onnx"
            quantize_static(
                model,
                target,
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_quantize=list(nodes),
                op_types_to_quantize=list(OPERATORS),
                extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
            )
            return onnx.load(str(target))
    finally:
        logger.setLevel(level)


def _store_weights(model: Any, node: Any, module: Any, precision: Precision) -> None:
    """Replace the weights that ``node`` reads by smaller ones, and nodes that make float32 of them."""
    from onnx import TensorProto, helper

    graph, given = model.graph, node.input[1]
    stored, made = f"{given}_{precision.weight_bits}_bits", f"{given}_float32"
    node.input[1] = made
    if precision.activation_bits == 16:
        _round_input(graph, node)
    if any(each.name == stored for each in graph.initializer):
        return
    for number, each in enumerate(graph.initializer):
        if each.name == given:
            del graph.initializer[number]
            break
    weights = module.weight.detach()
    # A linear map of tokens is a MatMul, which reads its weights as (inputs, outputs).
    turned = node.op_type == "MatMul"
    if not precision.integer:
        graph.initializer.append(_bfloat16(stored, weights.T if turned else weights))
        graph.node.insert(0, helper.make_node("Cast", [stored], [made], f"{made}_cast", to=TensorProto.FLOAT))
        return
    scales = channel_scales(weights, precision.weight_bits)
    integers = weight_integers(weights, scales, precision.weight_bits)
    shaped = scales.view(-1, *[1] * (weights.ndim - 1))
    if turned:
        integers, shaped = integers.T, shaped.T
    kind = TensorProto.INT4 if precision.weight_bits == 4 else TensorProto.INT8
    graph.initializer.append(helper.make_tensor(stored, kind, integers.shape, integers.flatten().tolist()))
    graph.initializer.append(helper.make_tensor(f"{given}_scales", TensorProto.FLOAT, shaped.shape, shaped.flatten()))
    graph.node.insert(0, helper.make_node("Cast", [stored], [f"{made}_whole"], f"{made}_cast", to=TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Mul", [f"{made}_whole", f"{given}_scales"], [made], f"{made}_scale"))


def _bfloat16(name: str, values: Tensor) -> Any:
    from onnx import TensorProto, helper

    content = values.contiguous().to(torch.bfloat16).view(torch.int16).numpy().tobytes()
    return helper.make_tensor(name, TensorProto.BFLOAT16, values.shape, content, raw=True)


def _round_input(graph: Any, node: Any) -> None:
    """Let ``node`` read its input rounded to bfloat16."""
    from onnx import TensorProto, helper

    given, name = node.input[0], f"{node.name}_bfloat16"
    place = list(graph.node).index(node)
    graph.node.insert(place, helper.make_node("Cast", [given], [name], name, to=TensorProto.BFLOAT16))
    graph.node.insert(
        place + 1, helper.make_node("Cast", [name], [f"{name}_input"], f"{name}_back", to=TensorProto.FLOAT)
    )
    graph.node[place + 2].input[0] = f"{name}_input"
