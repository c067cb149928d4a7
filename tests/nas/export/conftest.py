"""One exported folder a family, made once: torch's exporter takes seconds."""

from __future__ import annotations

import pytest
from toy_export import FAMILIES, Exported, random_network

from nas.export.onnx import ONNX_FILE, write_onnx
from nas.export.safetensors import write_model


@pytest.fixture(scope="session", params=FAMILIES)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    module, info = random_network(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    write_model(folder, module, info)
    write_onnx(folder / ONNX_FILE, module, info.blueprint)
    return Exported(folder, module, info)
