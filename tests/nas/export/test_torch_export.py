from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nas.export.torch_export import PROGRAM_FILE, write_torch_export
from search_spaces.building import build
from search_spaces.errors import NasError
from search_spaces.spaces import space


def test_the_program_gives_the_module_s_logits_for_any_batch_size(tmp_path: Path) -> None:
    family = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10)
    blueprint = family.blueprint(family.smallest())
    module = build(blueprint)
    path = tmp_path / PROGRAM_FILE
    assert write_torch_export(path, module, blueprint) < 1e-5
    assert [each.name for each in tmp_path.iterdir()] == [PROGRAM_FILE]
    program = torch.export.load(path).module()
    images = torch.randn(5, 1, *blueprint.resolution)
    with torch.no_grad():
        assert torch.allclose(program(images), module.eval()(images), atol=1e-5)


class FixedBatch(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :10] if len(images) == 2 else images.flatten(1)[:, :9]


def test_a_module_that_can_t_be_exported_is_a_line(tmp_path: Path) -> None:
    family = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10)
    with pytest.raises(NasError, match="can't be exported"):
        write_torch_export(tmp_path / PROGRAM_FILE, FixedBatch(), family.blueprint(family.smallest()))
    assert list(tmp_path.iterdir()) == []
