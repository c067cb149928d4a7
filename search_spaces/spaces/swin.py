"""Swin transformers (Liu et al. 2021): heads, MLP ratio and window of each block, depth per stage, width, resolution.

``form`` is ``tiny`` or ``base``, which hold Swin-T and Swin-B, or ``small_image`` for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from search_spaces.blueprint import Setting
from search_spaces.spaces import spaces
from search_spaces.staged import StagedSettings
from search_spaces.windowed import WindowedFamily, WindowedSpace, imagenet_form, small_form


def _own_settings(_width: int, number: int) -> Mapping[str, Setting]:
    """Every second block shifts its windows."""
    return {"shifted": number % 2 == 1}


SWIN = WindowedFamily("swin", "patch_norm_stem", _own_settings)


FORMS = {
    "tiny": imagenet_form(
        (64, 80, 96),
        ((1, 2), (1, 2), (4, 5, 6), (1, 2)),
        ((2, 3), (4, 5, 6), (8, 10, 12), (16, 20, 24)),
    ),
    "base": imagenet_form(
        (96, 112, 128),
        ((1, 2), (1, 2), (6, 12, 18), (1, 2)),
        ((3, 4), (6, 7, 8), (12, 14, 16), (24, 28, 32)),
    ),
    "small_image": small_form(),
}


class SwinSettings(StagedSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "base", "small_image"] = "tiny"


@spaces.register("swin")
class SwinSpace(WindowedSpace):
    """Swin."""

    name = "swin"
    family = SWIN
    Settings = SwinSettings
    forms = FORMS
