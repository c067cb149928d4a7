"""The script of a bundle, beside its run as a whole in test_bundle: its timing, and TensorRT by fakes."""

import ast
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments import bundle_run


def clock(durations_ms, monkeypatch):
    """Make each run last its duration, the last for ever."""
    left, now = list(durations_ms), [0.0]
    monkeypatch.setattr(bundle_run.time, "perf_counter", lambda: now[0])

    def run():
        now[0] += (left.pop(0) if len(left) > 1 else left[0]) / 1e3

    return run


def test_steady_runs(monkeypatch):
    found = bundle_run.measure(clock([10.0], monkeypatch), 0.5)
    assert found["latency_ms"] == pytest.approx(10.0)
    assert found["p95_ms"] == pytest.approx(10.0)
    assert (found["num_runs"], found["stable"]) == (50, True)


def test_warm_up_is_left_out_and_drift_is_told(monkeypatch):
    found = bundle_run.measure(clock([500.0, 100.0, 50.0] + [10.0] * 22 + [14.0], monkeypatch), 0.01)
    assert found["latency_ms"] < 15
    assert not found["stable"]


def test_it_needs_nothing_but_numpy_and_a_runtime():
    tree = ast.parse(Path(bundle_run.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


def test_images_are_the_same_everywhere():
    images = bundle_run.random_images([2, 3, 4, 4])
    assert (images.shape, images.dtype) == ((2, 3, 4, 4), np.float32)
    assert (images == bundle_run.random_images([2, 3, 4, 4])).all()


def test_tensorrt_gets_shape_precision_and_addresses(monkeypatch):
    calls = []

    class Named(SimpleNamespace):
        def __getattr__(self, name):
            return lambda *arguments: calls.append((name, arguments)) or self

    class Library:
        def __getattr__(self, name):
            def call(*arguments):
                calls.append((name, arguments))
                return 0

            return call

    graph = SimpleNamespace(
        num_outputs=1,
        get_input=lambda index: SimpleNamespace(name="image"),
        get_output=lambda index: SimpleNamespace(name="logits"),
    )
    context = Named(get_tensor_shape=lambda name: (1, 10))
    builder = SimpleNamespace(
        create_network=lambda flags: calls.append(("create_network", (flags,))) or graph,
        create_builder_config=Named,
        create_optimization_profile=Named,
        build_serialized_network=lambda network, config: b"plan",
    )
    engine = SimpleNamespace(create_execution_context=lambda: context)
    library = SimpleNamespace(
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None}),
        Builder=lambda logger: builder,
        NetworkDefinitionCreationFlag=SimpleNamespace(EXPLICIT_BATCH=0),
        OnnxParser=lambda network, logger: SimpleNamespace(parse_from_file=lambda path: True),
        Runtime=lambda logger: SimpleNamespace(deserialize_cuda_engine=lambda plan: engine),
        BuilderFlag=SimpleNamespace(TF32="tf32", FP16="fp16"),
    )
    monkeypatch.setitem(sys.modules, "tensorrt", library)
    monkeypatch.setattr(bundle_run.ctypes, "CDLL", lambda name: Library())
    run = bundle_run.tensorrt_run(Path("model.onnx"), [1, 3, 8, 8], {"precision": "fp16"})
    assert run() is engine
    assert ("create_network", (1,)) in calls
    assert ("set_flag", ("fp16",)) in calls
    assert ("set_input_shape", ("image", (1, 3, 8, 8))) in calls
    assert calls[-1][0] == "cudaStreamSynchronize"


def test_a_cuda_error_ends_the_script(monkeypatch):
    monkeypatch.setattr(bundle_run.ctypes, "CDLL", lambda name: SimpleNamespace(cudaStreamCreate=lambda stream: 2))
    with pytest.raises(SystemExit, match="cudaStreamCreate failed with CUDA error 2"):
        bundle_run.Cuda()
