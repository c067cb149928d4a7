import sys
from types import SimpleNamespace

import torch

from predictors.clocks import clock_versions, nvml_handle, throttling


class Nvml(SimpleNamespace):
    NVMLError = RuntimeError
    NVML_CLOCK_SM = 1
    reasons = 0x4 | 0x20

    def nvmlInit(self):
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid):
        assert uuid == "GPU-1234"
        return "handle"

    def nvmlSystemGetDriverVersion(self):
        return b"570.1"

    def nvmlDeviceGetClockInfo(self, handle, kind):
        return 1980

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle):
        return self.reasons


def install(monkeypatch, nvml):
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="1234"))


def test_a_cpu_tells_its_clock_or_nothing(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "cpu_freq", lambda: SimpleNamespace(current=2450.3))
    assert clock_versions("cpu")["cpu_mhz"] == "2450"
    monkeypatch.setattr(psutil, "cpu_freq", lambda: None)
    assert "cpu_mhz" not in clock_versions("cpu")
    assert throttling("cpu") == ""


def test_a_gpu_tells_its_clock_its_driver_and_what_holds_it_back(monkeypatch):
    install(monkeypatch, Nvml())
    assert clock_versions("gpu") == {"gpu_mhz": "1980", "driver": "570.1"}
    assert throttling("gpu") == "held back: power cap, thermal limit"


def test_an_unhindered_gpu_is_silent(monkeypatch):
    install(monkeypatch, Nvml(reasons=0x1))
    assert throttling("gpu") == ""


def test_without_the_library_nothing_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml_handle() is None
    assert clock_versions("gpu") == {}
    assert throttling("gpu") == ""
