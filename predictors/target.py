"""Targets: a device with a precision, a batch size, a runtime and a layout. ``h100:bf16:b32`` names one.

Eager and compiled timings rank networks differently (`Spearman .976`, 22 % error after one constant, on one GPU), so
the runtime is part of a target's name and two runtimes never share a table or a model.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, PositiveInt

from predictors.device import (
    DEVICES,
    PRECISIONS,
    Device,
    DeviceEntry,
    Precision,
    lacks,
    list_devices,
    read_device,
    torch_device,
)
from search_spaces.errors import UsageError

__all__ = [
    "DEVICES",
    "LAYOUTS",
    "PRECISIONS",
    "RUNTIMES",
    "Device",
    "DeviceEntry",
    "Layout",
    "Precision",
    "Runtime",
    "Target",
    "TargetName",
    "is_present",
    "list_devices",
    "parse_target",
    "read_device",
    "target",
    "torch_device",
]

Runtime = Literal["eager", "compiled", "onnxruntime", "tensorrt"]
Layout = Literal["channels_last", "contiguous"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
FORM = "DEVICE[:PRECISION][:bBATCH][:RUNTIME][:LAYOUT], as h100:bf16:b32 or cpu:fp32:b1:onnxruntime"

# The layout of the images that a runtime is given unless the target says another: ONNX knows (N, C, H, W) alone.
RUNTIME_LAYOUT: dict[Runtime, Layout] = {
    "eager": "channels_last",
    "compiled": "channels_last",
    "onnxruntime": "contiguous",
    "tensorrt": "contiguous",
}


class Target(BaseModel):
    """Where and how a network runs. It holds the device's facts, so a stored one predicts the same ever after.

    Attributes:
        device: facts of the device.
        precision: of weights and images. batch_size: images at once.
        runtime: what executes the network: PyTorch as it is (``eager``) or under ``torch.compile`` (``compiled``), ONNX
            Runtime or TensorRT.
        layout: memory format of weights and images.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Device
    precision: Precision = "fp32"
    batch_size: PositiveInt = 1
    runtime: Runtime = "eager"
    layout: Layout = "channels_last"

    @property
    def name(self) -> str:
        """The canonical name, as ``h100:bf16:b32``; ``eager`` and the runtime's own layout are left out."""
        return TargetName(self.device.name, self.precision, self.batch_size, self.runtime, self.layout).text


class TargetName(NamedTuple):
    """The parts of a target's name, checked."""

    device: str
    precision: Precision
    batch_size: int
    runtime: Runtime
    layout: Layout = "channels_last"

    @property
    def text(self) -> str:
        """The canonical text."""
        runtime = "" if self.runtime == "eager" else f":{self.runtime}"
        layout = "" if self.layout == RUNTIME_LAYOUT[self.runtime] else f":{self.layout}"
        return f"{self.device}:{self.precision}:b{self.batch_size}{runtime}{layout}"


def parse_target(text: str) -> TargetName:
    """Return the parts of a target's name; it loads no torch and calibrates nothing.

    Raises:
        UsageError: the device is unknown, lacks the precision or the runtime, or a part can't be read or stands twice.
    """
    device, *parts = text.strip().split(":")
    entry = DEVICES.get(device)
    found: dict[str, str] = {}
    for part in parts:
        field = _field(text, part)
        if field in found:
            raise UsageError(f"target {text!r} gives its {field} twice ({found[field]!r}, {part!r}): write {FORM}")
        found[field] = part
    precision = next(name for name in PRECISIONS if name == found.get("precision", "fp32"))
    if precision not in entry.precisions:
        raise lacks(device, precision, entry.precisions)
    runtime = next(name for name in RUNTIMES if name == found.get("runtime", "eager"))
    layout = next(name for name in LAYOUTS if name == found.get("layout", RUNTIME_LAYOUT[runtime]))
    _check_runtime(text, entry, runtime, layout)
    return TargetName(device, precision, int(found.get("batch", "b1")[1:]), runtime, layout)


def target(text: str, cpu: Device | None = None) -> Target:
    """Return the target that ``text`` names; precision fp32, batch 1 and runtime eager unless given.

    Args:
        text: as ``h100:bf16:b32``.
        cpu: facts of the CPU from an earlier calibration; without it, ``cpu`` is calibrated once per process.

    Raises:
        UsageError: as ``parse_target``.
    """
    name = parse_target(text)
    device = cpu if name.device == "cpu" and cpu is not None else DEVICES.get(name.device).load()
    return Target(
        device=device,
        precision=name.precision,
        batch_size=name.batch_size,
        runtime=name.runtime,
        layout=name.layout,
    )


def is_present(target: Target) -> bool:
    """Return whether ``target``'s device is on this machine, so that networks can be timed on it."""
    return torch_device(target.device) is not None


def _check_runtime(text: str, entry: DeviceEntry, runtime: Runtime, layout: Layout) -> None:
    if runtime == "tensorrt" and entry.kind != "gpu":
        raise UsageError(f"target {text!r}: tensorrt runs on GPUs: for a CPU give eager, compiled or onnxruntime")
    if RUNTIME_LAYOUT[runtime] == "contiguous" and layout != "contiguous":
        raise UsageError(f"target {text!r}: {runtime} takes contiguous images and chooses its own: drop {layout}")


def _field(text: str, part: str) -> str:
    if part in PRECISIONS:
        return "precision"
    if part in RUNTIMES:
        return "runtime"
    if part in LAYOUTS:
        return "layout"
    if part[:1] == "b" and part[1:].isascii() and part[1:].isdigit() and int(part[1:]) > 0:
        return "batch"
    raise UsageError(
        f"target {text!r} has the part {part!r}: write {FORM}; precisions {', '.join(PRECISIONS)}; batch b1, b2, ...; "
        f"runtimes {', '.join(RUNTIMES)}; layouts {', '.join(LAYOUTS)}"
    )
