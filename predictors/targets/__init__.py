"""One TOML file a device. ``cpu`` is this machine: it has no file, its facts come from a calibration."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from predictors.calibration import CPU_PRECISIONS, cpu_device
from predictors.target import DEVICES, DeviceEntry, read_device


def _enter(file: Traversable) -> None:
    device = read_device(file)
    DEVICES.register(device.name)(DeviceEntry(device.precisions, lambda: device))


for _file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
    if _file.name.endswith(".toml"):
        _enter(_file)
DEVICES.register("cpu")(DeviceEntry(CPU_PRECISIONS, cpu_device))
