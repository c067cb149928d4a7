"""Targets: a device with a precision, a batch size and a runtime. ``h100:bf16:b32`` names one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources.abc import Traversable
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from search_spaces.errors import UsageError
from search_spaces.registry import Registry

Precision = Literal["fp32", "tf32", "fp16", "bf16"]
Runtime = Literal["eager"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
FORM = "DEVICE[:PRECISION][:bBATCH][:RUNTIME], as h100:bf16:b32"


class Device(BaseModel):
    """Facts of one device. Rates are dense (no structured sparsity) with float32 accumulation.

    Attributes:
        name: as in a target's name. title: the vendor's name of the product.
        matches: patterns (``*`` is any text) of the names that torch reports for it.
        peak_tflops_fp32: multiply and add without tensor cores; tf32, fp16, bf16: tensor cores; None where it has none.
        memory_bandwidth_gb_s: 10^9 bytes per second. num_sms: streaming multiprocessors, or cores of a CPU.
        launch_overhead_us: host time per operation of eager PyTorch, microseconds.
        source: title of the document that the facts are from. notes: doubts and assumptions, each headed by its fact.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    kind: Literal["gpu", "cpu"]
    vendor: str
    matches: tuple[str, ...] = ()
    peak_tflops_fp32: PositiveFloat
    peak_tflops_tf32: PositiveFloat | None = None
    peak_tflops_fp16: PositiveFloat | None = None
    peak_tflops_bf16: PositiveFloat | None = None
    memory_bandwidth_gb_s: PositiveFloat
    memory_gib: PositiveFloat
    l2_mib: PositiveFloat
    num_sms: PositiveInt
    launch_overhead_us: PositiveFloat
    source: str = Field(min_length=1)
    notes: tuple[str, ...] = ()

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """The precisions that the device has a rate for."""
        return tuple(name for name in PRECISIONS if getattr(self, f"peak_tflops_{name}") is not None)

    def peak_tflops(self, precision: Precision) -> float:
        """Return the peak rate at ``precision``; a precision the device lacks is an error that names those it has."""
        rate = getattr(self, f"peak_tflops_{precision}")
        if rate is None:
            raise _lacks(self.name, precision, self.precisions)
        return float(rate)


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A registered device: ``load`` gives its facts, which takes a calibration for the CPU and nothing for a GPU."""

    precisions: tuple[Precision, ...]
    load: Callable[[], Device]


DEVICES: Registry[DeviceEntry] = Registry("target", "predictors.targets")


class Target(BaseModel):
    """Where and how a network runs. It holds the device's facts, so a stored one predicts the same ever after."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Device
    precision: Precision = "fp32"
    batch_size: PositiveInt = 1
    runtime: Runtime = "eager"

    @property
    def name(self) -> str:
        """The canonical name, as ``h100:bf16:b32``; the runtime is left out while it is ``eager``."""
        return TargetName(self.device.name, self.precision, self.batch_size, self.runtime).text


class TargetName(NamedTuple):
    """The parts of a target's name, checked."""

    device: str
    precision: Precision
    batch_size: int
    runtime: Runtime

    @property
    def text(self) -> str:
        """The canonical text."""
        runtime = "" if self.runtime == "eager" else f":{self.runtime}"
        return f"{self.device}:{self.precision}:b{self.batch_size}{runtime}"


def parse_target(text: str) -> TargetName:
    """Return the parts of a target's name; it loads no torch and calibrates nothing.

    Raises:
        UsageError: the device is unknown, lacks the precision, or a part can't be read or stands twice.
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
        raise _lacks(device, precision, entry.precisions)
    runtime = next(name for name in RUNTIMES if name == found.get("runtime", "eager"))
    return TargetName(device, precision, int(found.get("batch", "b1")[1:]), runtime)


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
    return Target(device=device, precision=name.precision, batch_size=name.batch_size, runtime=name.runtime)


def list_devices() -> list[str]:
    """Return the names of the known devices."""
    return DEVICES.names()


def read_device(file: Traversable) -> Device:
    """Return the device of a TOML file; a file that is not one is an error that names the key."""
    try:
        return Device.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"target file {file.name} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"])) or "file"
        raise UsageError(f"target file {file.name}, key {path}: {first['msg'].lower()}") from None


def torch_device(device: Device) -> str | None:
    """Return the torch name (``cpu``, ``cuda:0``) of ``device`` on this machine, or None when it is not present.

    A GPU is present when torch reports a name that it matches and memory within 15 % of its own: one torch name can
    stand for several products (``Orin``) and for a slice of one.
    """
    if device.kind == "cpu":
        return "cpu"
    import torch

    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(index)
        named = any(fnmatchcase(facts.name, pattern) for pattern in device.matches)
        if named and abs(facts.total_memory / 2**30 / device.memory_gib - 1) < 0.15:
            return f"cuda:{index}"
    return None


def is_present(target: Target) -> bool:
    """Return whether ``target``'s device is on this machine, so that networks can be timed on it."""
    return torch_device(target.device) is not None


def _field(text: str, part: str) -> str:
    if part in PRECISIONS:
        return "precision"
    if part in RUNTIMES:
        return "runtime"
    if part[:1] == "b" and part[1:].isascii() and part[1:].isdigit() and int(part[1:]) > 0:
        return "batch"
    raise UsageError(
        f"target {text!r} has the part {part!r}: write {FORM}; "
        f"precisions {', '.join(PRECISIONS)}; batch b1, b2, ...; runtimes {', '.join(RUNTIMES)}"
    )


def _lacks(device: str, precision: str, has: tuple[Precision, ...]) -> UsageError:
    return UsageError(f"device {device!r} has no {precision}: it has {', '.join(has)}")
