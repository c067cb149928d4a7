"""The clock of a device and whether it is being held back, as the system or the driver tells it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

# Bits of NVML's clocks-event reasons that mean "slower than asked": power cap, thermal limits, power brake.
HELD_BACK = {0x4: "power cap", 0x8: "slowdown", 0x20: "thermal limit", 0x40: "thermal limit", 0x80: "power brake"}


def clock_versions(device_kind: Literal["cpu", "gpu"]) -> dict[str, str]:
    """Return what is known of the clock: ``cpu_mhz`` and ``governor``, or ``gpu_mhz``; what is not told is absent."""
    return _gpu_clock() if device_kind == "gpu" else _cpu_clock()


def throttling(device_kind: Literal["cpu", "gpu"]) -> str:
    """Return why the GPU's clock is held back now, as "held back: power cap", or "" where nothing says so."""
    nvml = nvml_handle() if device_kind == "gpu" else None
    if nvml is None:
        return ""
    library, handle = nvml
    reasons = int(library.nvmlDeviceGetCurrentClocksThrottleReasons(handle))
    names = sorted({name for bit, name in HELD_BACK.items() if reasons & bit})
    return f"held back: {', '.join(names)}" if names else ""


def nvml_handle() -> tuple[Any, Any] | None:
    """Return NVIDIA's management library and the handle of torch's current GPU, or None without the library."""
    try:
        library: Any = import_module("pynvml")
    except ImportError:
        return None
    import torch

    try:
        library.nvmlInit()
        identity = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
        return library, library.nvmlDeviceGetHandleByUUID(f"GPU-{identity}")
    except library.NVMLError:
        return None


def _gpu_clock() -> dict[str, str]:
    nvml = nvml_handle()
    if nvml is None:
        return {}
    library, handle = nvml
    driver = library.nvmlSystemGetDriverVersion()
    return {
        "gpu_mhz": str(library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_SM)),
        "driver": driver.decode() if isinstance(driver, bytes) else str(driver),
    }


def _cpu_clock() -> dict[str, str]:
    import psutil

    found = {}
    frequency = psutil.cpu_freq()
    if frequency is not None and frequency.current:
        found["cpu_mhz"] = f"{frequency.current:.0f}"
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor.is_file():
        found["governor"] = governor.read_text(encoding="utf-8").strip()
    return found
