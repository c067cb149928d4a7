"""A comparison small enough to train in a second: networks of thousands of MACs on 200 digits."""

from __future__ import annotations

from pathlib import Path

TEXT = """
name = "tiny"
rules = ["w", "d", "s2"]
factors = [2]
targets = ["cpu:fp32:b1", "h100:fp16:b1"]
rounds = 2
seeds = 2

[base.space]
name = "resnet"
form = "small_image"
in_channels = 1
num_classes = 10

[base.knobs]
resolution = 8
width = 0.5
"stage1.depth" = 1
"stage1.bottleneck" = 0.25
"stage2.depth" = 1
"stage2.bottleneck" = 0.25
"stage3.depth" = 1
"stage3.bottleneck" = 0.25

[data]
max_images = 200
calibration_images = 20

[training]
epochs = 1
"""


def write_config(folder: Path, text: str = TEXT) -> Path:
    path = folder / "tiny.toml"
    path.write_text(text)
    return path
