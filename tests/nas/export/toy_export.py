"""Random networks and images for the tests of export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from nas.export.safetensors import ModelInfo
from search_spaces.building import build
from search_spaces.spaces import space

# Of 16 x 16 pixels, as the images below.
FAMILIES = {"ofa_mobilenet": {"resolutions": (16,)}, "autoformer": {}}


@dataclass(frozen=True)
class Exported:
    folder: Path
    module: nn.Module
    info: ModelInfo


def random_network(family: str, seed: int = 0) -> tuple[nn.Module, ModelInfo]:
    """Return a network of random weights and BatchNorm statistics, and its description."""
    found = space(family, form="small_image", in_channels=2, num_classes=3, **FAMILIES.get(family, {}))
    architecture = found.decode(found.sample(np.random.default_rng(seed), 1))[0]
    blueprint = found.blueprint(architecture)
    module = build(blueprint, seed=seed).eval()
    generator = torch.Generator().manual_seed(seed)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.normal_(0, 0.1, generator=generator)
            norm.running_var.uniform_(0.5, 1.5, generator=generator)
    info = ModelInfo(blueprint, (0.25, 0.5), (0.2, 0.3), ("a", "b|c", "d"), architecture, {"study": "trial", "seed": 7})
    return module, info


def random_images(num: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (num, 2, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
