import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from predictors.execution import module_run, onnx_run
from predictors.network_timing import time_onnx, time_part
from predictors.timing import TimingPlan
from search_spaces.errors import UsageError

PLAN = TimingPlan(window=2, max_warmup_runs=6, min_runs=4, max_runs=8, budget_s=0.01)


def network():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)).eval()


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory):
    import onnx
    from onnx import TensorProto, helper

    shape = ["batch", 3, 16, 16]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["image"], ["logits"])],
        "relu",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path = tmp_path_factory.mktemp("onnx") / "relu.onnx"
    onnx.save_model(model, str(path))
    return path


@pytest.mark.parametrize("layout", ["channels_last", "contiguous"])
def test_images_have_the_layout_that_is_asked(layout):
    seen = []
    module = network()
    module.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = torch.randn(2, 3, 16, 16)
    with module_run(module, images, layout=layout) as run:
        assert torch.allclose(run(), module(images), atol=1e-5)
    wanted = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    assert seen[0].is_contiguous(memory_format=wanted)


def test_a_part_takes_tokens_as_well():
    layer = nn.Linear(8, 4)
    tokens = torch.randn(2, 5, 8)
    with module_run(layer, tokens) as run:
        assert torch.equal(run(), layer(tokens))


@pytest.mark.parametrize("runtime", ["onnxruntime", "tensorrt"])
def test_runtimes_of_files_take_no_module(runtime):
    with (
        pytest.raises(UsageError, match="takes an ONNX file"),
        module_run(network(), torch.ones(1, 3, 8, 8), runtime=runtime),
    ):
        pass


def test_no_image_is_refused():
    with pytest.raises(UsageError, match="none zero"), module_run(network(), torch.ones(0, 3, 8, 8)):
        pass


def test_onnx_runtime_is_timed_with_its_version(onnx_file):
    import onnxruntime

    timing = time_onnx(onnx_file, (2, 3, 16, 16), "onnxruntime", "cpu", plan=PLAN, num_threads=1)
    assert timing.median_ms > 0
    assert timing.versions["onnxruntime"] == onnxruntime.__version__
    assert timing.versions["memory_format"] == "contiguous"
    assert timing.versions["runtime"] == "onnxruntime"


def test_onnx_runtime_keeps_to_the_file(onnx_file):
    with pytest.raises(UsageError, match="bf16 is not offered"):
        onnx_run(onnx_file, (1, 3, 16, 16), "onnxruntime", "cpu", "bf16")


def test_onnx_runtime_without_its_gpu_part(onnx_file):
    with pytest.raises(UsageError, match="no CUDAExecutionProvider: install onnxruntime-gpu"):
        onnx_run(onnx_file, (1, 3, 16, 16), "onnxruntime", "gpu")


def test_tensorrt_that_is_not_installed(onnx_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(UsageError, match="tensorrt is not installed"):
        onnx_run(onnx_file, (1, 3, 16, 16), "tensorrt", "gpu")


def test_tensorrt_builds_for_the_shape_and_enqueues_on_the_current_stream(onnx_file, monkeypatch):
    calls = []

    class Named(SimpleNamespace):
        def __getattr__(self, name):
            return lambda *arguments: calls.append((name, arguments)) or self

    tensor = SimpleNamespace(name="image")
    graph = Named(
        num_outputs=1, get_input=lambda index: tensor, get_output=lambda index: SimpleNamespace(name="logits")
    )
    config, profile = Named(), Named()
    builder = SimpleNamespace(
        create_network=lambda flags: graph,
        create_builder_config=lambda: config,
        create_optimization_profile=lambda: profile,
        build_serialized_network=lambda network, given: b"engine",
    )
    context = Named(get_tensor_shape=lambda name: (2, 4))
    engine = SimpleNamespace(create_execution_context=lambda: context)
    library = SimpleNamespace(
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None}),
        Builder=lambda logger: builder,
        OnnxParser=lambda network, logger: SimpleNamespace(parse_from_file=lambda path: True),
        Runtime=lambda logger: SimpleNamespace(deserialize_cuda_engine=lambda plan: engine),
        BuilderFlag=SimpleNamespace(TF32="tf32", FP16="fp16", BF16="bf16"),
    )
    monkeypatch.setitem(sys.modules, "tensorrt", library)
    monkeypatch.setattr(torch, "randn", lambda shape, device: torch.zeros(shape))
    monkeypatch.setattr(torch, "empty", lambda shape, device: torch.zeros(shape))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=7))
    run = onnx_run(onnx_file, (2, 3, 16, 16), "tensorrt", "gpu", "fp16")
    run()
    assert ("set_shape", ("image", (2, 3, 16, 16), (2, 3, 16, 16), (2, 3, 16, 16))) in calls
    assert ("set_flag", ("fp16",)) in calls
    assert [arguments[0] for name, arguments in calls if name == "set_tensor_address"] == ["image", "logits"]
    assert calls[-1] == ("execute_async_v3", (7,))


# torch's compiler imports parts of torch that torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.slow
def test_a_compiled_network_gives_the_same_and_says_so():
    module, images = network(), torch.randn(2, 3, 16, 16)
    with module_run(module, images, runtime="compiled") as run:
        assert torch.allclose(run(), module(images), atol=1e-4)
    timing = time_part(module, images, runtime="compiled", plan=PLAN)
    assert timing.versions["runtime"] == "compiled"
