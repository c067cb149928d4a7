"""Forks a child for every line on stdin; a child writes one file over and over, each time with other content.

Imported torch is shared by the children, so that many can be killed in little time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from nas.training.checkpoint import save_tensors


def write(path: Path) -> None:
    for number in range(1, 10**6):
        tensors = {name: torch.full((100_000,), float(number)) for name in ("weights", "average")}
        save_tensors(path, tensors, {"number": number})
        print(os.getpid(), number, flush=True)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            write(Path(line.strip()))
        os.waitpid(child, 0)
        print("gone", 0, flush=True)
