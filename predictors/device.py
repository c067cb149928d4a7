"""Devices: the facts of one GPU or CPU, from a TOML file or measured here, and whether it is on this machine."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from search_spaces.errors import UsageError
from search_spaces.registry import Registry

Precision = Literal["fp32", "tf32", "fp16", "bf16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
Kind = Literal["gpu", "cpu"]


class Device(BaseModel):
    """Facts of one device. Rates are dense (no structured sparsity) with float32 accumulation.

    Attributes:
        name: as in a target's name. title: the vendor's name of the product.
        matches: patterns (``*`` is any text) of the names that torch (a GPU) or the system (a CPU) reports for it.
        peak_tflops_fp32: multiply and add without tensor cores; tf32, fp16, bf16: tensor cores; None where it has none;
            int8: 10^12 operations of bytes per second, for layers of that precision in a quantised network.
        memory_bandwidth_gb_s: 10^9 bytes per second. num_sms: streaming multiprocessors, or cores of a CPU.
        launch_overhead_us: host time per operation of eager PyTorch, microseconds.
        source: title of the document that the facts are from. notes: doubts and assumptions, each headed by its fact.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    kind: Kind
    vendor: str
    matches: tuple[str, ...] = ()
    peak_tflops_fp32: PositiveFloat
    peak_tflops_tf32: PositiveFloat | None = None
    peak_tflops_fp16: PositiveFloat | None = None
    peak_tflops_bf16: PositiveFloat | None = None
    peak_tops_int8: PositiveFloat | None = None
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
            raise lacks(self.name, precision, self.precisions)
        return float(rate)


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A registered device: ``load`` gives its facts, which takes a calibration for the CPU and nothing for a GPU."""

    precisions: tuple[Precision, ...]
    load: Callable[[], Device]
    kind: Kind = "gpu"


DEVICES: Registry[DeviceEntry] = Registry("target", "predictors.targets")


def list_devices() -> list[str]:
    """Return the names of the known devices."""
    return DEVICES.names()


def read_device(file: Traversable) -> Device:
    """Return the device of a TOML file; a file that is not one is an error that names the key."""
    try:
        return Device.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"can't read the target file {file}: {error.strerror}: give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"target file {file.name} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"])) or "file"
        raise UsageError(f"target file {file.name}, key {path}: {first['msg'].lower()}") from None


def torch_device(device: Device) -> str | None:
    """Return the torch name (``cpu``, ``cuda:0``) of ``device`` on this machine, or None when it is not present.

    A GPU is present when torch reports a name that it matches and memory within 15 % of its own: one torch name can
    stand for several products (``Orin``) and for a slice of one. A CPU other than ``cpu``, which is this machine, is
    present when the system reports a name that it matches.
    """
    if device.kind == "cpu":
        here = device.name == "cpu" or _matches(device, cpuinfo("model name"))
        return "cpu" if here else None
    import torch

    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(index)
        if _matches(device, facts.name) and abs(facts.total_memory / 2**30 / device.memory_gib - 1) < 0.15:
            return f"cuda:{index}"
    return None


def cpuinfo(key: str) -> str:
    """Return what Linux says of the processor under ``key``, or "" where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def lacks(device: str, precision: str, has: tuple[Precision, ...]) -> UsageError:
    """Return the error for a precision that a device has no rate for."""
    return UsageError(f"device {device!r} has no {precision}: it has {', '.join(has)}")


def _matches(device: Device, reported: str) -> bool:
    return any(fnmatchcase(reported, pattern) for pattern in device.matches)
