"""``torch.export``: the network as a program that PyTorch runs without this software."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from nas.files import replacing
from search_spaces.blueprint import Blueprint
from search_spaces.errors import NasError

PROGRAM_FILE = "model.pt2"
NUM_CHECKED = 3


def write_torch_export(path: Path, module: nn.Module, blueprint: Blueprint) -> float:
    """Write ``module`` in evaluation mode as an exported program of any batch size.

    It takes images (n, channels, height, width), normalised, and gives logits (n, classes). Read such files only from
    where you trust: PyTorch's format is not ours, and nothing here ever reads one.

    Returns:
        The largest absolute difference of a logit between program and module, on random images of another batch size.

    Raises:
        NasError: an operation has no exported form, or a block fixes the batch size.
        StorageError: the folder can't be written.
    """
    plain = copy.deepcopy(module).cpu().eval()
    shape = (blueprint.in_channels, *blueprint.resolution)
    try:
        # The exporter takes a batch of 1 for a constant.
        program = torch.export.export(
            plain, (torch.zeros(2, *shape),), dynamic_shapes=({0: torch.export.Dim("batch")},)
        )
    except Exception as error:
        raise NasError(
            f"the network can't be exported ({str(error).partition(chr(10))[0]}): use --format onnx"
        ) from error
    with replacing(path) as temporary:
        # The name decides the format, and must end as the file's.
        written = temporary.with_suffix(".pt2")
        torch.export.save(program, written)
        written.replace(temporary)
    images = torch.randn(NUM_CHECKED, *shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return float((program.module()(images) - plain(images)).abs().max())
