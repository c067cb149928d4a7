"""One TOML file a device, here and in the person's own folder. ``cpu`` is this machine, measured: it has no file."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from predictors.calibration import CPU_PRECISIONS, cpu_device
from predictors.device import DEVICES, DeviceEntry, read_device
from predictors.user_targets import user_files


def _enter(file: Traversable) -> None:
    device = read_device(file)
    DEVICES.register(device.name)(DeviceEntry(device.precisions, lambda: device, device.kind))


for _file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
    if _file.name.endswith(".toml"):
        _enter(_file)
DEVICES.register("cpu")(DeviceEntry(CPU_PRECISIONS, cpu_device, "cpu"))
for _file in user_files():
    _enter(_file)
