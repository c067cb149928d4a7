"""The part of a model card that says what is quantised, and how."""

from __future__ import annotations

from itertools import groupby

from search_spaces.block import network_layers
from search_spaces.blueprint import Blueprint
from search_spaces.precision import is_quantised, policy_of, precision, size_bytes


def precisions(blueprint: Blueprint) -> str:
    """Return the section on precisions, or "" where all is float32."""
    if not is_quantised(blueprint):
        return ""
    rows = ["| blocks and layers | precision | bits of weights | bits of activations |", "| --- | --- | --- | --- |"]
    for name, group in groupby(policy_of(blueprint).items(), key=lambda item: item[1]):
        names, found = [each for each, _ in group], precision(name)
        where = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        rows.append(f"| {where} | {name} | {found.weight_bits} | {found.activation_bits} |")
    return (
        "## Precisions\n\nPost-training, of convolutions and linear maps, BatchNorm folded in: weights symmetric "
        "with one scale a channel, 8-bit activations with one scale and zero point a tensor, from the least to the "
        "largest value over the calibration images. The ONNX file holds this network; `model.safetensors` holds the "
        "float32 weights that it was made from.\n\n"
        + "\n".join(rows)
        + f"\n\nConstants of the ONNX file, in closed form: {size_bytes(network_layers(blueprint)):,} bytes, and a few "
        "for each scale of activations and each shape."
    )
