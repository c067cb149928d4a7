"""Energy, where the driver keeps a counter: RAPL for a CPU's packages, NVML for a GPU (Volta and later)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from predictors.clocks import nvml_handle

Counter = Callable[[], float]
"""Returns the joules used since some moment in the past."""

RAPL = Path("/sys/class/powercap")


def energy_counter(device_kind: Literal["cpu", "gpu"]) -> Counter | None:
    """Return the counter of the device, or None where no driver tells: the energy is unknown then, never assumed.

    RAPL counts whole packages, other work on them included.
    """
    return _nvml_counter() if device_kind == "gpu" else rapl_counter(RAPL)


def rapl_counter(folder: Path) -> Counter | None:
    """Return the sum over the packages of Linux's power-capping ``folder``, or None if none can be read."""
    files = sorted(folder.glob("intel-rapl:?/energy_uj"))
    try:
        previous = [int(file.read_text()) for file in files]
        wraps = [int((file.parent / "max_energy_range_uj").read_text()) for file in files]
    except (OSError, ValueError):
        return None
    if not files:
        return None
    total = 0

    def read() -> float:
        nonlocal total
        for index, file in enumerate(files):
            now = int(file.read_text())
            total += now - previous[index] if now >= previous[index] else now + wraps[index] - previous[index]
            previous[index] = now
        return total / 1e6

    return read


def _nvml_counter() -> Counter | None:
    nvml = nvml_handle()
    if nvml is None:
        return None
    library, handle = nvml

    def read() -> float:
        return float(library.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3

    try:
        read()
    except library.NVMLError:
        return None
    return read
