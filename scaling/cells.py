"""Cells that read the two maps before them (NASNet, PNASNet): each says how wide and how large the earlier one is."""

from __future__ import annotations

from dataclasses import replace

from search_spaces.blueprint import Block, Blueprint, Stage


def follow_previous(base: Blueprint, scaled: Blueprint) -> Blueprint:
    """Return ``scaled`` with every cell's ``prev_width`` and ``prev_stride`` those of the map that it really reads.

    ``base`` is what was scaled: a network without such cells is returned as it is.
    """
    if not base.stages or not any("prev_width" in dict(block.settings) for block in base.stages[0].blocks):
        return scaled
    first = scaled.stages[0].blocks[0]
    previous, stride, width = int(first.get("prev_width", 0)), int(first.get("prev_stride", 1)), scaled.stem.width
    stages = []
    for stage in scaled.stages:
        blocks: list[Block] = []
        for block in stage.blocks:
            blocks.append(block.replace(prev_width=previous, prev_stride=stride))
            previous = previous if block.get("skip_input", False) else width
            stride, width = int(block.get("stride", 1)), stage.width
        stages.append(Stage(stage.name, stage.width, tuple(blocks)))
    return replace(scaled, stages=tuple(stages))
