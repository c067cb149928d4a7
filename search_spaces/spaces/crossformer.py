"""CrossFormer (Wang et al. 2022): heads, MLP ratio and group of each block, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, which hold CrossFormer-T and -B, or ``small_image`` for images of 8 to 64 pixels. The
side of a group is the knob ``window``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from search_spaces.blueprint import Setting
from search_spaces.spaces import spaces
from search_spaces.staged import StagedSettings
from search_spaces.windowed import WindowedFamily, WindowedSpace, imagenet_form, small_form


def _own_settings(width: int, number: int) -> Mapping[str, Setting]:
    """Every second block has groups of far cells; the MLP of the bias has width / 16 hidden channels."""
    return {"far": number % 2 == 1, "bias_width": max(4, width // 16)}


CROSSFORMER = WindowedFamily("crossformer", "cross_scale_embed", _own_settings)


FORMS = {
    "tiny": imagenet_form(
        (48, 64),
        ((1, 2), (1, 2), (6, 7, 8), (2, 4, 6)),
        ((1, 2), (3, 4), (6, 7, 8), (12, 14, 16)),
    ),
    "base": imagenet_form(
        (64, 80, 96),
        ((1, 2), (1, 2), (6, 12, 18), (1, 2)),
        ((2, 3), (4, 5, 6), (8, 10, 12), (16, 20, 24)),
    ),
    "small_image": small_form(),
}


class CrossFormerSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "base", "small_image"] = "tiny"


@spaces.register("crossformer")
class CrossFormerSpace(WindowedSpace):
    """CrossFormer."""

    name = "crossformer"
    family = CROSSFORMER
    Settings = CrossFormerSettings
    forms = FORMS
