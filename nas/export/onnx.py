"""ONNX: written by torch's exporter, run again by onnxruntime and compared. onnx and onnxruntime are met here alone."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas.files import replacing
from nas.tasks import Task
from nas.tasks.classification import Classification
from nas.training.losses import OF_CLASSES
from search_spaces.blueprint import Blueprint
from search_spaces.errors import NasError, UsageError

OPSET = 20
ONNX_FILE = "model.onnx"
INPUT, OUTPUT = "image", "logits"


@dataclass(frozen=True)
class OnnxReport:
    """How an ONNX file compares with the module that it was made from, on the same images.

    Attributes:
        max_abs_difference: largest absolute difference between two outputs.
        score: the task's metric of the ONNX file.
        module_score: that of the module.
        agreement_percent: of what is given a class (images, pixels), how much both give the same; None without classes.
        num_images: images compared.
        opset: of the file.
        onnxruntime_version: that ran it, on the CPU.
    """

    max_abs_difference: float
    score: float
    module_score: float
    agreement_percent: float | None
    num_images: int
    opset: int
    onnxruntime_version: str


def write_onnx(path: Path, module: nn.Module, blueprint: Blueprint, output: str = OUTPUT) -> None:
    """Write ``module`` in evaluation mode: ``image`` float32 (N, C, H, W), normalised, to ``output``.

    N is free; BatchNorm is folded into the convolutions. The file holds no trace of the machine that wrote it.

    Raises:
        NasError: an operation has no ONNX form, or a block fixes the batch size.
        StorageError: the folder can't be written.
    """
    save_model(path, exported_model(module, blueprint, output=output))


def exported_model(module: nn.Module, blueprint: Blueprint, opset: int = OPSET, output: str = OUTPUT) -> Any:
    """Return the onnx.ModelProto of a copy of ``module`` in evaluation mode, with the exporter's notes on each node.

    Raises:
        NasError: an operation has no ONNX form, or a block fixes the batch size.
    """
    plain = copy.deepcopy(module).cpu().eval()
    # The exporter takes a batch of 1 for a constant.
    example = torch.zeros(2, blueprint.in_channels, *blueprint.resolution)
    model = _exported(plain, example, opset, output)
    if model.graph.input[0].type.tensor_type.shape.dim[0].dim_param != "batch":
        raise NasError(
            "the network can't be written as ONNX for any batch size: a block fixes it: use x.shape[0], not len(x)"
        )
    return model


def save_model(path: Path, model: Any) -> None:
    """Write an onnx.ModelProto to ``path`` at once, without the exporter's notes.

    Raises:
        StorageError: the folder can't be written.
    """
    import onnx

    _strip(model)
    with replacing(path) as temporary:
        onnx.save_model(model, str(temporary), format="protobuf")


def _exported(module: nn.Module, example: Tensor, opset: int, output: str) -> Any:
    """Return the onnx.ModelProto of ``module``; what the exporter prints is shown only if it fails."""
    with _quiet():
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            opset_version=opset,
            input_names=[INPUT],
            output_names=[output],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's exporter off stdout, which is for data, and its notes on packages that are not needed off stderr."""
    logger, printed = logging.getLogger("torch.onnx"), io.StringIO()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            # The exporter's own use of torch: nothing that a caller could change.
            warnings.filterwarnings("ignore", r".*isinstance\(treespec, LeafSpec\)", FutureWarning)
            yield
    except torch.onnx.OnnxExporterError as error:
        sys.stderr.write(printed.getvalue())
        raise NasError(f"the network can't be written as ONNX: {_root_cause(error)}") from error
    finally:
        logger.setLevel(level)


def _root_cause(error: BaseException) -> str:
    """Return the first line of the error that the others wrap in advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().partition("\n")[0]


def _strip(model: Any) -> None:
    """Remove the stack traces, which name the paths of this machine, and other notes of the exporter."""
    graph = model.graph
    for holder in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del holder.metadata_props[:]
        holder.doc_string = ""


def check_onnx(
    path: Path, module: nn.Module, batches: Sequence[Tensor], truth: Tensor, task: Task | None = None
) -> OnnxReport:
    """Run the file by onnxruntime on the CPU and compare it with ``module`` in evaluation mode.

    Args:
        path: of the ONNX file.
        module: the network that it was made from.
        batches: prepared images, float32 (n, channels, height, width) each, on the module's device: the whole set.
        truth: targets of all images in order, as the task keeps them: of classification the labels, int64.
        task: what is compared by; classification where it is left out.

    Raises:
        UsageError: the file is no ONNX model.
    """
    import onnxruntime

    opset, session = _opset(path), _session(path)
    task = task or Classification()
    expected = _outputs(module, batches)
    parts = [session.run(None, {INPUT: batch.cpu().contiguous().numpy()})[0] for batch in batches]
    given = torch.from_numpy(np.concatenate(parts))
    truth = truth.cpu()
    has_classes = task.name in OF_CLASSES
    return OnnxReport(
        max_abs_difference=float((given - expected).abs().max()),
        score=task.value(task.rows(given, truth)),
        module_score=task.value(task.rows(expected, truth)),
        agreement_percent=_percent_equal(given.argmax(1), expected.argmax(1)) if has_classes else None,
        num_images=len(truth),
        opset=opset,
        onnxruntime_version=str(onnxruntime.__version__),
    )


def _opset(path: Path) -> int:
    """Return the operator set of a file that is an ONNX model by onnx's own checker."""
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{path.name} is no ONNX model ({reason}): export the network again") from None
    return next(int(entry.version) for entry in onnx.load(str(path)).opset_import if not entry.domain)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.inference_mode()
def _outputs(module: nn.Module, batches: Sequence[Tensor]) -> Tensor:
    training = module.training
    try:
        module.eval()
        return torch.cat([module(batch) for batch in batches]).float().cpu()
    finally:
        module.train(training)


def _percent_equal(first: Tensor, second: Tensor) -> float:
    return 100.0 * int((first == second).sum()) / second.numel()
