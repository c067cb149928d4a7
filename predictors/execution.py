"""A network made ready to run as a target runs it: eager or compiled PyTorch, ONNX Runtime, TensorRT."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from predictors.runtime import float32_products
from predictors.target import Layout, Precision, Runtime
from search_spaces.errors import UsageError, missing_extra

if TYPE_CHECKING:
    import torch
    from torch import nn

Run = Callable[[], object]


@contextmanager
def module_run(
    module: nn.Module,
    images: torch.Tensor,
    precision: Precision = "fp32",
    runtime: Runtime = "eager",
    layout: Layout = "channels_last",
) -> Iterator[Run]:
    """Yield a function that runs a copy of ``module`` on ``images``, in evaluation mode and without gradients.

    Args:
        module: any network; it stays as it is.
        images: on the device to run on; (batch, channels, height, width) for a network, any shape for a part of one.
        precision: weights and images are cast to it whole; ``fp32`` keeps tensor cores out, ``tf32`` lets them in.
        runtime: ``eager`` or ``compiled``; the others take a file: ``onnx_run``.
        layout: memory format of weights and images; of images of four axes alone.

    Raises:
        UsageError: ``images`` is empty, or the runtime takes no module.
    """
    import torch

    if not images.numel():
        raise UsageError(f"images have shape {tuple(images.shape)}: give (batch, channels, height, width), none zero")
    if runtime not in ("eager", "compiled"):
        raise UsageError(f"runtime {runtime!r} takes an ONNX file, not a module: give eager or compiled")
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    dtype = torch_dtype(precision)
    network: nn.Module = copy.deepcopy(module).eval().to(images.device, dtype=dtype, memory_format=memory_format)  # type: ignore[call-overload]
    batch = images.to(dtype, memory_format=memory_format if images.ndim == 4 else torch.preserve_format)
    call = _compiled(network) if runtime == "compiled" else network
    products = float32_products("tf32" if precision == "tf32" else "ieee")
    with torch.inference_mode(), products, torch.cuda.device(images.device) if images.is_cuda else nullcontext():
        yield lambda: call(batch)


def onnx_run(
    path: Path,
    shape: Sequence[int],
    runtime: Runtime,
    device_kind: Literal["cpu", "gpu"],
    precision: Precision = "fp32",
    num_threads: int | None = None,
) -> Run:
    """Return a function that runs the ONNX file ``path`` on random images that are on the device already.

    Args:
        path: of a file with one input of images, whose first axis is free or equal to the batch.
        shape: of the images, (batch, channels, height, width).
        runtime: ``onnxruntime`` or ``tensorrt``.
        device_kind: where it runs.
        precision: ``onnxruntime`` runs the file as it is (fp32); ``tensorrt`` is allowed to choose it.
        num_threads: of a CPU; by default torch's.

    Raises:
        UsageError: the runtime is not installed, can't run there or at that precision.
    """
    if runtime == "tensorrt":
        return _tensorrt_run(path, shape, precision)
    if precision != "fp32":
        raise UsageError(f"onnxruntime runs the file as it is written, in fp32: {precision} is not offered for it")
    return _onnxruntime_run(path, shape, device_kind, num_threads)


def torch_dtype(precision: Precision) -> torch.dtype:
    """Return the type of weights and images at ``precision``."""
    import torch

    return {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision, torch.float32)


def _compiled(network: nn.Module) -> Callable[[torch.Tensor], object]:
    import torch

    # Each network is compiled for its own shapes: what an earlier one left behind would make this one dynamic.
    torch.compiler.reset()
    compiled: Callable[[torch.Tensor], object] = torch.compile(network, dynamic=False)
    return compiled


def _onnxruntime_run(
    path: Path, shape: Sequence[int], device_kind: Literal["cpu", "gpu"], num_threads: int | None
) -> Run:
    import numpy as np
    import onnxruntime
    import torch

    provider = "CUDAExecutionProvider" if device_kind == "gpu" else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise UsageError(f"this onnxruntime has no {provider}: install onnxruntime-gpu, or give a CPU target")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads or torch.get_num_threads()
    # Spinning threads would take the cores from whatever is timed next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
    place = "cuda" if device_kind == "gpu" else "cpu"
    images = np.random.default_rng(0).standard_normal(tuple(shape), dtype=np.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input(session.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(images, place))
    for output in session.get_outputs():
        binding.bind_output(output.name, place)
    return lambda: session.run_with_iobinding(binding)


def _tensorrt_run(path: Path, shape: Sequence[int], precision: Precision) -> Run:
    """Build an engine for exactly ``shape`` and return a function that enqueues it on torch's current stream."""
    try:
        tensorrt: Any = import_module("tensorrt")
    except ImportError:
        raise missing_extra("tensorrt", "tensorrt") from None
    import torch

    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    network, config = builder.create_network(0), builder.create_builder_config()
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(path)):
        raise UsageError(f"tensorrt can't read {path.name}: {parser.get_error(0)}")
    profile, name = builder.create_optimization_profile(), network.get_input(0).name
    profile.set_shape(name, tuple(shape), tuple(shape), tuple(shape))
    config.add_optimization_profile(profile)
    _allow(tensorrt, config, precision)
    engine = tensorrt.Runtime(logger).deserialize_cuda_engine(builder.build_serialized_network(network, config))
    context = engine.create_execution_context()
    context.set_input_shape(name, tuple(shape))
    tensors = [torch.randn(tuple(shape), device="cuda")]
    context.set_tensor_address(name, tensors[0].data_ptr())
    for index in range(network.num_outputs):
        output = network.get_output(index).name
        tensors.append(torch.empty(tuple(context.get_tensor_shape(output)), device="cuda"))
        context.set_tensor_address(output, tensors[-1].data_ptr())

    def run() -> object:
        # ``tensors`` is named so that the memory lives as long as this function.
        return tensors, context.execute_async_v3(torch.cuda.current_stream().cuda_stream)

    return run


def _allow(tensorrt: Any, config: Any, precision: Precision) -> None:
    """Let TensorRT compute at ``precision``: TF32 is on by default, and fp32 must forbid it."""
    flags = tensorrt.BuilderFlag
    if precision == "fp32":
        config.clear_flag(flags.TF32)
    if precision in ("fp16", "bf16"):
        config.set_flag(flags.FP16 if precision == "fp16" else flags.BF16)
