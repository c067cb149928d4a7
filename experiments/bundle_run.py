"""Times the networks of this folder on the device that it runs on, and writes result.json.

It needs Python 3.8 or later, numpy, and onnxruntime or tensorrt, as bundle.json says. Run it with:

    python run.py [SECONDS]

SECONDS are the timed runs of each network (1 by default). Bring result.json back and read it with:

    nas measure --import result.json
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOLDER = Path(__file__).resolve().parent
WINDOW, TOLERANCE, MAX_WARMUP_RUNS, MAX_WARMUP_S = 5, 0.05, 60, 5.0
MIN_RUNS, MAX_RUNS = 20, 200


def main(arguments: Sequence[str]) -> None:
    """Time every network of bundle.json in order; a network that fails ends the run and is named."""
    budget_s = float(arguments[0]) if arguments else 1.0
    bundle = json.loads((FOLDER / "bundle.json").read_text(encoding="utf-8"))
    rows = []
    for entry in bundle["networks"]:
        path = FOLDER / entry["file"]
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            sys.exit(f"{entry['file']} is not the file that was written: copy the bundle again")
        run = RUNTIMES[bundle["runtime"]](path, entry["shape"], bundle)
        rows.append(dict(name=entry["name"], **measure(run, budget_s)))
        print(f"{entry['name']}: {rows[-1]['latency_ms']:.4f} ms", file=sys.stderr)
    result = dict(bundle, format="nas-bundle-result", unit="ms", rows=rows, versions=versions(bundle["runtime"]))
    partial = FOLDER / "result.json.part"
    partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, FOLDER / "result.json")
    print(FOLDER / "result.json")


def measure(run: Callable[[], object], budget_s: float) -> dict[str, Any]:
    """Return median, half interquartile range and 95th percentile in milliseconds of runs after the warm-up."""
    warmup, settled = warm_up(run)
    expected_ms = max(float(np.median(warmup[-WINDOW:])), 1e-6)
    num_runs = int(np.clip(budget_s * 1e3 / expected_ms, MIN_RUNS, MAX_RUNS))
    runs = np.array([timed_ms(run) for _ in range(num_runs)])
    half = num_runs // 2
    drift = float(np.median(runs[half:]) / max(float(np.median(runs[:half])), 1e-9)) - 1
    low, median, high, p95 = (float(value) for value in np.percentile(runs, (25, 50, 75, 95)))
    return {
        "latency_ms": median,
        "spread_ms": (high - low) / 2,
        "p95_ms": p95,
        "num_runs": num_runs,
        "stable": bool(settled and abs(drift) <= TOLERANCE),
        "drift": drift,
    }


def warm_up(run: Callable[[], object]) -> tuple[list[float], bool]:
    """Run until the medians of two windows agree, or the limits are reached."""
    runs: list[float] = []
    while len(runs) < MAX_WARMUP_RUNS and sum(runs) < MAX_WARMUP_S * 1e3:
        runs.append(timed_ms(run))
        if len(runs) >= 2 * WINDOW:
            last, previous = np.median(runs[-WINDOW:]), np.median(runs[-2 * WINDOW : -WINDOW])
            if abs(last - previous) <= TOLERANCE * max(previous, 1e-9):
                return runs, True
    return runs, False


def timed_ms(run: Callable[[], object]) -> float:
    """Return the milliseconds of one run; it returns when its outputs are there."""
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def onnxruntime_run(path: Path, shape: Sequence[int], bundle: dict[str, Any]) -> Callable[[], object]:
    """Return a function that runs the file by ONNX Runtime on images that are on the device already."""
    import onnxruntime

    gpu = bundle["kind"] == "gpu"
    provider, place = ("CUDAExecutionProvider", "cuda") if gpu else ("CPUExecutionProvider", "cpu")
    if provider not in onnxruntime.get_available_providers():
        sys.exit(f"this onnxruntime has no {provider}: install the package of that device")
    session = onnxruntime.InferenceSession(str(path), providers=[provider])
    binding = session.io_binding()
    images = onnxruntime.OrtValue.ortvalue_from_numpy(random_images(shape), place)
    binding.bind_ortvalue_input(session.get_inputs()[0].name, images)
    for output in session.get_outputs():
        binding.bind_output(output.name, place)

    def run() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return run


def tensorrt_run(path: Path, shape: Sequence[int], bundle: dict[str, Any]) -> Callable[[], object]:
    """Return a function that runs an engine built from the file for exactly this shape."""
    tensorrt: Any = import_module("tensorrt")

    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    # Before version 10 an explicit batch axis had to be asked for.
    explicit = getattr(tensorrt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
    network = builder.create_network(0 if explicit is None else 1 << int(explicit))
    parser, config = tensorrt.OnnxParser(network, logger), builder.create_builder_config()
    if not parser.parse_from_file(str(path)):
        sys.exit(f"tensorrt can't read {path.name}: {parser.get_error(0)}")
    profile, name = builder.create_optimization_profile(), network.get_input(0).name
    profile.set_shape(name, tuple(shape), tuple(shape), tuple(shape))
    config.add_optimization_profile(profile)
    if bundle["precision"] == "fp32":
        config.clear_flag(tensorrt.BuilderFlag.TF32)
    elif bundle["precision"] != "tf32":
        config.set_flag(getattr(tensorrt.BuilderFlag, bundle["precision"].upper()))
    engine = tensorrt.Runtime(logger).deserialize_cuda_engine(builder.build_serialized_network(network, config))
    context = engine.create_execution_context()
    context.set_input_shape(name, tuple(shape))
    cuda = Cuda()
    context.set_tensor_address(name, cuda.copied(random_images(shape)))
    for index in range(network.num_outputs):
        output = network.get_output(index).name
        elements = int(np.prod(tuple(context.get_tensor_shape(output))))
        # Eight bytes an element hold any type of output.
        context.set_tensor_address(output, cuda.allocated(8 * elements))

    def run() -> object:
        context.execute_async_v3(cuda.stream.value)
        cuda.wait()
        # Named here so that it lives as long as this function.
        return engine

    return run


class Cuda:
    """The five calls of CUDA's runtime library that are needed."""

    def __init__(self) -> None:
        self.library: Any = ctypes.CDLL("libcudart.so")
        self.stream = ctypes.c_void_p()
        self._call("cudaStreamCreate", ctypes.byref(self.stream))

    def allocated(self, num_bytes: int) -> int:
        """Return the address of new memory on the device."""
        address = ctypes.c_void_p()
        self._call("cudaMalloc", ctypes.byref(address), ctypes.c_size_t(num_bytes))
        return int(address.value or 0)

    def copied(self, array: Any) -> int:
        """Return the address of a copy of ``array`` on the device."""
        address = self.allocated(array.nbytes)
        host = array.ctypes.data_as(ctypes.c_void_p)
        self._call("cudaMemcpy", ctypes.c_void_p(address), host, ctypes.c_size_t(array.nbytes), 1)
        return address

    def wait(self) -> None:
        """Return when the stream has done everything."""
        self._call("cudaStreamSynchronize", self.stream)

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self.library, name)(*arguments)
        if status:
            sys.exit(f"{name} failed with CUDA error {status}")


def random_images(shape: Sequence[int]) -> Any:
    """Return the same random images every time."""
    return np.random.default_rng(0).standard_normal(tuple(shape)).astype(np.float32)


def versions(runtime: str) -> dict[str, str]:
    """Return what the times depend on."""
    module: Any = import_module(runtime)
    found = {"python": platform.python_version(), "system": platform.platform(), "machine": platform.machine()}
    found[runtime] = str(module.__version__)
    model = Path("/proc/device-tree/model")
    if model.is_file():
        found["board"] = model.read_text(encoding="utf-8", errors="replace").rstrip("\0")
    return found


RUNTIMES = {"onnxruntime": onnxruntime_run, "tensorrt": tensorrt_run}

if __name__ == "__main__":
    main(sys.argv[1:])
