import torch

from predictors.calibration import CPU_PRECISIONS, cpu_device
from predictors.target import target


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
