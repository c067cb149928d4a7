import sys
from types import SimpleNamespace

import pytest
import torch

from predictors.energy import energy_counter, rapl_counter


def package(folder, number, microjoules, most=1_000_000):
    domain = folder / f"intel-rapl:{number}"
    domain.mkdir(exist_ok=True)
    (domain / "energy_uj").write_text(f"{microjoules}\n")
    (domain / "max_energy_range_uj").write_text(f"{most}\n")


def test_packages_are_summed_from_the_start(tmp_path):
    package(tmp_path, 0, 500_000)
    package(tmp_path, 1, 100_000)
    read = rapl_counter(tmp_path)
    assert read() == 0.0
    package(tmp_path, 0, 800_000)
    package(tmp_path, 1, 150_000)
    assert read() == pytest.approx(0.35)


def test_a_counter_that_starts_again_goes_on(tmp_path):
    package(tmp_path, 0, 900_000)
    read = rapl_counter(tmp_path)
    package(tmp_path, 0, 100_000)
    assert read() == pytest.approx(0.2)


def test_no_counter_is_no_zero(tmp_path):
    assert rapl_counter(tmp_path) is None
    package(tmp_path, 0, 5)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("unknown")
    assert rapl_counter(tmp_path) is None


def test_a_gpu_counts_millijoules(monkeypatch):
    nvml = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: "handle",
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: 2500,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="1234"))
    assert energy_counter("gpu")() == 2.5

    def refuse(handle):
        raise RuntimeError

    nvml.nvmlDeviceGetTotalEnergyConsumption = refuse
    assert energy_counter("gpu") is None
