"""The settings of PyTorch that a timing depends on: read, set for the time being, recorded."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from search_spaces.errors import UsageError


def software_versions(device_kind: Literal["cpu", "gpu"]) -> dict[str, str]:
    """Return what a timing depends on: software, threads and the device's name."""
    import torch

    backends: Any = torch.backends
    versions = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "num_threads": str(torch.get_num_threads()),
    }
    if device_kind == "gpu":
        versions["gpu"] = torch.cuda.get_device_name()
        versions["cuda"] = str(torch.version.cuda)
        versions["cudnn"] = str(backends.cudnn.version())
    return versions


@contextmanager
def pinned_threads(num_threads: int | None) -> Iterator[int]:
    """Hold torch at ``num_threads`` threads (None: those it has) and yield how many; fewer than one are refused."""
    import torch

    before = torch.get_num_threads()
    if num_threads is not None and num_threads < 1:
        raise UsageError(f"num_threads is {num_threads}: give at least 1, or nothing to keep {before}")
    torch.set_num_threads(num_threads or before)
    try:
        yield num_threads or before
    finally:
        torch.set_num_threads(before)


@contextmanager
def float32_products(mode: str) -> Iterator[None]:
    """Let float32 products on a GPU use tensor cores (``tf32``) or not (``ieee``), for the time being."""
    import torch

    backends: Any = torch.backends
    switches = (backends.cudnn.conv, backends.cuda.matmul)
    before = [switch.fp32_precision for switch in switches]
    for switch in switches:
        switch.fp32_precision = mode
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.fp32_precision = value
