"""The part of a model card that says how to load the network: code that runs as it stands."""

from __future__ import annotations

from nas.export.onnx import INPUT, ONNX_FILE
from nas.export.safetensors import ARCHITECTURE_FILE, MODEL_FILE
from nas.tasks import Task
from search_spaces.blueprint import Blueprint


def usage(blueprint: Blueprint, has_onnx: bool, task: Task) -> str:
    """Return the section on use: code that runs in the folder of the model."""
    out = task.output
    shown = f"print({out}.shape)"
    of_torch, of_json = shown, shown
    if task.name == "classification":
        of_torch = "print([info.class_names[index] for index in logits.argmax(1)])"
        of_json = 'print([info["class_names"][index] for index in logits.argmax(1)])'
    channels, (height, width) = blueprint.in_channels, blueprint.resolution
    shape = f"(1, {channels}, {height}, {width})"
    found = f"""## Use

With PyTorch, in this folder (images of another size are resized; the weights are `{MODEL_FILE}`, the network is
`{ARCHITECTURE_FILE}`):

```python
import torch
from nas.export.safetensors import load_model

module, info = load_model(".")
images = torch.zeros({shape}, dtype=torch.uint8)  # put yours here: (n, channels, height, width)
with torch.inference_mode():
    {out} = module(info.prepare(images))
{of_torch}
```"""
    if not has_onnx:
        return found
    return (
        found
        + f"""

With onnxruntime alone (images of {height} x {width} pixels):

```python
import json
from pathlib import Path

import numpy as np
import onnxruntime

info = json.loads(Path("{ARCHITECTURE_FILE}").read_text(encoding="utf-8"))
mean, std = (np.array(info[name]).reshape(1, -1, 1, 1) for name in ("mean", "std"))
session = onnxruntime.InferenceSession("{ONNX_FILE}", providers=["CPUExecutionProvider"])
images = np.zeros({shape}, dtype=np.uint8)  # put yours here: (n, channels, height, width)
({out},) = session.run(["{out}"], {{"{INPUT}": ((images / 255 - mean) / std).astype(np.float32)}})
{of_json}
```"""
    )
