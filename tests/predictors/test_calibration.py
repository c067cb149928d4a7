from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from predictors import calibration
from predictors.calibration import CPU_PRECISIONS, cpu_device, gpu_device, named_cpu
from predictors.device import torch_device
from predictors.target import target
from search_spaces.errors import UsageError


def test_the_cpu_is_measured_and_says_so():
    device = cpu_device()
    assert device.kind == "cpu"
    assert device.precisions == CPU_PRECISIONS
    assert device.num_sms == torch.get_num_threads()
    assert device.source.startswith("measured on this machine with torch")
    # Between a microcontroller and the largest server there is.
    assert 1e-4 < device.peak_tflops_fp32 < 1e3
    assert 0.01 < device.memory_bandwidth_gb_s < 1e5
    assert 0.01 < device.launch_overhead_us < 1e5


def test_one_process_calibrates_once():
    assert target("cpu:b4").device is target("cpu:bf16").device


def test_a_named_cpu_is_this_machine_and_no_other():
    device = named_cpu("workstation")
    assert (device.name, device.peak_tflops_fp32) == ("workstation", cpu_device().peak_tflops_fp32)
    assert torch_device(device) == "cpu"
    assert torch_device(device.model_copy(update={"matches": ("another processor",)})) is None


def test_without_a_gpu_there_is_none_to_measure(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="torch sees no GPU cuda:0 here"):
        gpu_device(0, "mine")


def test_a_gpu_is_measured_and_says_so(monkeypatch):
    facts = SimpleNamespace(name="Some GPU", total_memory=8 * 2**30, L2_cache_size=3 * 2**20, multi_processor_count=28)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: facts)
    rates = {torch.float32: 2.0, torch.float16: 8.0}
    monkeypatch.setattr(calibration, "_matmul_tflops", lambda dtype, device: rates[dtype])
    monkeypatch.setattr(calibration, "_copy_gb_s", lambda device: 300.0)
    monkeypatch.setattr(calibration, "_launch_us", lambda device: 9.0)
    device = gpu_device(0, "mine")
    assert (device.peak_tflops_fp32, device.peak_tflops_fp16, device.peak_tflops_bf16) == (2.0, 8.0, None)
    assert (device.memory_gib, device.l2_mib, device.num_sms, device.matches) == (8, 3, 28, ("Some GPU",))
    assert device.source.startswith("measured on this machine")
