"""The example of a person's own space: one short file that trains, searches, scales and exports as it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nas_command import Nas
from nas_command import nas as nas

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "experiments" / "examples" / "keyword_spotting.toml"
TINY = (
    "data.max_images=160",
    "data.calibration_images=30",
    "training.epochs=2",
    "latency.targets=['h100:bf16:b32']",
    "search.evaluations=8",
    "search.settings={num_initial=4, num_offspring=2}",
    "search.compare=[]",
    "networks=1",
    "scaling.rules=['r']",
    "finetuning.epochs=1",
)


def test_it_is_short() -> None:
    assert len(EXAMPLE.with_suffix(".py").read_text(encoding="utf-8").splitlines()) < 80


def test_it_runs_to_its_end(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = [word for setting in TINY for word in ("--set", setting)]
    said = nas("--quiet", "run", EXAMPLE, "--out", tmp_path, *settings, "--json")
    folder = tmp_path / "keyword-spotting"
    assert said.data["evaluations"] == 8
    assert (folder / "report.html").is_file()
    (exported,) = folder.rglob("*.onnx")
    from onnxruntime import InferenceSession

    session = InferenceSession(exported)
    given = session.get_inputs()[0]
    assert given.shape[-2:] == [32, 31]
    (logits,) = session.run(None, {given.name: np.zeros((1, 1, 32, 31), np.float32)})
    assert np.shape(logits) == (1, 4)
    assert np.isfinite(logits).all()
