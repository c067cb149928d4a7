import json
import subprocess
import sys
import tomllib
from importlib.resources import files
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from predictors.target import (
    DEVICES,
    LAYOUTS,
    PRECISIONS,
    RUNTIME_LAYOUT,
    RUNTIMES,
    Device,
    Target,
    is_present,
    list_devices,
    parse_target,
    read_device,
    target,
    torch_device,
)
from search_spaces.errors import UsageError

OWN = tuple(sorted(file.name[:-5] for file in files("predictors.targets").iterdir() if file.name.endswith(".toml")))
GPUS = tuple(name for name in OWN if DEVICES.get(name).kind == "gpu")


def test_every_file_is_a_device_and_so_is_this_machine():
    assert set(list_devices()) >= {*OWN, "cpu"}
    assert len(GPUS) >= 25
    assert {"p100", "v100", "t4", "rtx3090", "rtx5090", "a100-40g", "l40s", "h100-pcie", "b200", "orin-nano"} <= set(
        GPUS
    )


@pytest.mark.parametrize(
    ("name", "fp32", "bf16", "bandwidth", "num_sms"),
    [
        ("h100", 66.9, 989.4, 3350, 132),
        ("h200", 66.9, 989.4, 4800, 132),
        ("a100-80g", 19.5, 312, 2039, 108),
        ("l4", 30.3, 121, 300, 58),
        ("rtx4090", 82.6, 165.2, 1008, 128),
        ("orin", 5.3, 42.5, 204.8, 16),
        ("t4", 8.1, None, 320, 40),
        ("a40", 37.4, 149.7, 696, 84),
        ("l40s", 91.6, 362, 864, 142),
        ("h100-pcie", 51.2, 756, 2000, 114),
        ("b200", 80, 2250, 8000, 148),
        ("v100-pcie", 14, None, 900, 80),
    ],
)
def test_facts_are_the_dense_ones(name, fp32, bf16, bandwidth, num_sms):
    device = target(name).device
    assert (device.peak_tflops_fp32, device.peak_tflops_bf16) == (fp32, bf16)
    assert (device.memory_bandwidth_gb_s, device.num_sms) == (bandwidth, num_sms)


@pytest.mark.parametrize("name", OWN)
def test_every_file_has_a_source_and_notes_of_its_own_fields(name):
    device = target(name).device
    assert device.name == name
    assert device.matches
    assert "http" not in device.source
    prefixes = (*Device.model_fields, "peak_tflops")
    for note in device.notes:
        fields = note.partition(":")[0].split(", ")
        assert fields[0].startswith(prefixes), note
    assert any(note.startswith("launch_overhead_us: an assumption") for note in device.notes)


@pytest.mark.parametrize("name", GPUS)
def test_rates_of_one_device_fit_together(name):
    device = target(name).device
    if device.peak_tflops_bf16 is not None:
        assert device.peak_tflops_bf16 == device.peak_tflops_fp16
    if device.peak_tflops_fp16 is not None:
        assert 1.9 <= device.peak_tflops_fp16 / device.peak_tflops_fp32 <= 33
    if device.peak_tflops_tf32 is not None:
        assert device.peak_tflops_fp16 / device.peak_tflops_tf32 == pytest.approx(2, rel=0.08)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("h100", "h100:fp32:b1"),
        ("h100:bf16:b32", "h100:bf16:b32"),
        ("h100:b32:bf16", "h100:bf16:b32"),
        ("cpu:b8:eager", "cpu:fp32:b8"),
        ("cpu:b8:channels_last", "cpu:fp32:b8"),
        ("cpu:contiguous", "cpu:fp32:b1:contiguous"),
        ("h100:compiled:bf16", "h100:bf16:b1:compiled"),
        ("h100:compiled:bf16:contiguous", "h100:bf16:b1:compiled:contiguous"),
        ("cpu:onnxruntime:contiguous", "cpu:fp32:b1:onnxruntime"),
        ("orin:fp16:tensorrt", "orin:fp16:b1:tensorrt"),
        (" t4:fp16 ", "t4:fp16:b1"),
    ],
)
def test_parse_gives_the_canonical_name(text, canonical):
    assert parse_target(text).text == canonical


@given(st.sampled_from(GPUS), st.integers(1, 10**6), st.sampled_from(RUNTIMES), st.data())
def test_names_round_trip(name, batch, runtime, data):
    precision = data.draw(st.sampled_from(DEVICES.get(name).precisions))
    layouts = LAYOUTS if RUNTIME_LAYOUT[runtime] == "channels_last" else ("contiguous",)
    layout = data.draw(st.sampled_from(layouts))
    goal = target(f"{name}:{layout}:{precision}:{runtime}:b{batch}")
    assert target(goal.name) == goal
    assert (goal.precision, goal.batch_size, goal.runtime, goal.layout) == (precision, batch, runtime, layout)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("h1000", ["unknown target 'h1000'", "did you mean 'h100'", "allowed: a10, a100-40g"]),
        ("", ["unknown target ''"]),
        ("t4:bf16", ["'t4' has no bf16", "fp32, fp16"]),
        ("cpu:fp16", ["'cpu' has no fp16", "fp32, bf16"]),
        ("h100:int8", ["part 'int8'", "fp32, tf32, fp16, bf16", "h100:bf16:b32"]),
        ("h100:b0", ["part 'b0'"]),
        ("h100:b", ["part 'b'"]),
        ("h100:b-1", ["part 'b-1'"]),
        ("h100:b²", ["part 'b²'"]),
        ("h100::b1", ["part ''"]),
        ("h100:b1:b2", ["batch twice", "'b1'", "'b2'"]),
        ("h100:eager:compiled", ["runtime twice", "'eager'", "'compiled'"]),
        ("h100:contiguous:channels_last", ["layout twice"]),
        ("h100:torchscript", ["part 'torchscript'", "eager, compiled, onnxruntime, tensorrt"]),
        ("cpu:tensorrt", ["tensorrt runs on GPUs", "eager, compiled or onnxruntime"]),
        ("h100:tensorrt:channels_last", ["tensorrt takes contiguous images", "drop channels_last"]),
    ],
)
def test_bad_names_are_refused_in_one_line(text, words):
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_parsing_loads_no_torch():
    code = "import sys, predictors.target as t; t.parse_target('cpu:b8'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_target_survives_json_and_is_hashable():
    goal = target("l4:tf32:b4")
    again = Target.model_validate(json.loads(json.dumps(goal.model_dump(mode="json"))))
    assert again == goal
    assert hash(again) == hash(goal)


def test_a_stored_cpu_is_used_instead_of_a_new_calibration():
    stored = target("t4").device.model_copy(update={"name": "cpu", "kind": "cpu"})
    assert target("cpu:b2", cpu=stored).device is stored
    assert target("h100", cpu=stored).device.name == "h100"


def test_peak_of_a_missing_precision_is_an_error():
    device = target("t4").device
    assert [device.peak_tflops(name) for name in device.precisions] == [8.1, 65]
    with pytest.raises(UsageError, match="'t4' has no tf32: it has fp32, fp16"):
        device.peak_tflops("tf32")
    assert set(target("h100").device.precisions) == set(PRECISIONS)


def device_file(tmp_path, change):
    content = tomllib.loads((files("predictors.targets") / "t4.toml").read_text())
    content.update(change)
    file = tmp_path / "mine.toml"
    file.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in content.items()))
    return file


def test_a_device_file_of_ones_own(tmp_path):
    assert read_device(device_file(tmp_path, {"name": "mine", "num_sms": 7})).num_sms == 7


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"speed": 3}, ["mine.toml", "key speed", "extra"]),
        ({"num_sms": 0}, ["key num_sms", "greater than 0"]),
        ({"kind": "tpu"}, ["key kind", "'gpu' or 'cpu'"]),
        ({"source": ""}, ["key source"]),
        ({"name": "My GPU"}, ["key name", "pattern"]),
    ],
)
def test_a_wrong_device_file_names_its_key(tmp_path, change, words):
    with pytest.raises(UsageError) as caught:
        read_device(device_file(tmp_path, change))
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"can't read the target file .*none\.toml: No such file"):
        read_device(tmp_path / "none.toml")


def test_a_file_that_is_not_toml(tmp_path):
    (tmp_path / "mine.toml").write_text("name = ")
    with pytest.raises(UsageError, match=r"mine\.toml is not TOML"):
        read_device(tmp_path / "mine.toml")


@pytest.fixture
def gpu(monkeypatch):
    def install(*gpus):
        found = [SimpleNamespace(name=name, total_memory=gib * 2**30) for name, gib in gpus]
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(found))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(found))
        monkeypatch.setattr(torch.cuda, "get_device_properties", found.__getitem__)

    return install


@pytest.mark.parametrize(
    ("reported", "gib", "present"),
    [
        ("NVIDIA H200", 139.8, ["h200"]),
        ("NVIDIA H100 80GB HBM3", 79.1, ["h100"]),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", 9.8, []),
        ("NVIDIA A100-SXM4-80GB", 79.2, ["a100-80g"]),
        ("NVIDIA A100-SXM4-40GB", 39.4, ["a100-40g"]),
        ("Tesla V100-SXM2-16GB", 15.8, ["v100-16g"]),
        ("NVIDIA L4", 22.0, ["l4"]),
        ("NVIDIA L40S", 44.4, ["l40s"]),
        ("Tesla T4", 14.6, ["t4"]),
        ("NVIDIA GeForce RTX 4090", 23.6, ["rtx4090"]),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 15.6, []),
        ("Orin", 61.4, ["orin"]),
        ("Orin", 15.3, ["orin-nx"]),
        ("Orin", 7.4, ["orin-nano"]),
        ("Orin", 30.0, []),
    ],
)
def test_a_gpu_is_recognised_by_name_and_memory(gpu, reported, gib, present):
    gpu((reported, gib))
    assert [name for name in GPUS if is_present(target(name))] == present


def test_the_second_gpu_is_found(gpu):
    gpu(("NVIDIA L4", 22.0), ("Tesla T4", 14.6))
    assert torch_device(target("t4").device) == "cuda:1"


def test_the_cpu_is_always_present(gpu):
    gpu()
    stored = target("t4").device.model_copy(update={"name": "cpu", "kind": "cpu"})
    assert torch_device(stored) == "cpu"
    assert not is_present(target("h100"))


def test_another_cpu_is_present_only_where_the_system_reports_its_name(monkeypatch):
    monkeypatch.setattr("predictors.device.cpuinfo", lambda key: "Intel(R) Xeon(R) Gold 6226 CPU @ 2.70GHz")
    assert [name for name in ("xeon-6226", "raspi4", "cpu") if is_present(target(name))] == ["xeon-6226", "cpu"]
