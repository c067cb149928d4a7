"""CrossViT (Chen et al. 2021): two branches of transformers, of small and of large patches.

Knobs: resolution, width, the number of multi-scale blocks, and of each its transformers in the large branch, heads and
MLP ratio. ``form`` is ``15``, which holds CrossViT-9 to -18, or ``small_image`` for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob
from search_spaces.networks import Resolution
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces


@dataclass(frozen=True)
class MultiScale:
    """One multi-scale block: transformers of the large branch (the small one has one), heads, MLP ratio."""

    large_depth: int
    heads: int
    mlp_ratio: float


@dataclass(frozen=True)
class Patches:
    """Sides of small and large patches, large over small patches a side, and whether convolutions embed them."""

    small: int = 12
    large: int = 16
    grid_ratio: float = 0.7
    convolutional: bool = False


def crossvit(
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    width: int,
    blocks: Sequence[MultiScale],
    patches: Patches,
    head_dim: int = 64,
) -> Blueprint:
    """Return the network: ``width`` is that of the large branch, twice that of the small one.

    Heads of the large branch have ``head_dim`` channels, those of the small one half.
    """
    small_width, ratio = width // 2, patches.grid_ratio
    stem = Block.of(
        "crossvit_stem",
        small_width=small_width,
        stride=patches.small,
        large_patch=patches.large,
        grid_ratio=ratio,
        convolutional=patches.convolutional,
    )
    placed = tuple(
        Block.of(
            "crossvit",
            small_width=small_width,
            heads=block.heads,
            head_dim=head_dim,
            small_head_dim=head_dim // 2,
            mlp_width=int(width * block.mlp_ratio),
            small_mlp_width=int(small_width * block.mlp_ratio),
            small_depth=1,
            large_depth=block.large_depth,
            grid_ratio=ratio,
        )
        for block in blocks
    )
    head = Block.of("crossvit_head", small_width=small_width, grid_ratio=ratio)
    return Blueprint(
        family="crossvit",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (stem,)),
        stages=(Stage("stage1", width, placed),),
        head=Stage("head", num_classes, (head,)),
    )


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form."""

    resolutions: tuple[int, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    large_depths: tuple[int, ...]
    heads: tuple[int, ...]
    mlp_ratios: tuple[float, ...]
    patches: Patches
    head_dim: int


FORMS = {
    "15": Form(
        (180, 204, 240),
        (256, 320, 384, 448),
        (2, 3),
        (3, 4, 5, 6),
        (4, 5, 6, 7),
        (2.0, 3.0, 4.0),
        Patches(),
        64,
    ),
    "small_image": Form((8, 16), (32, 48), (1, 2), (1, 2), (2, 3), (1.5, 2.0), Patches(4, 8, 0.5), 16),
}


class CrossVitSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["15", "small_image"] = "15"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)


@spaces.register("crossvit")
class CrossVitSpace(SearchSpace):
    """CrossViT. Positions of a smaller grid are those of the largest one, resized."""

    name = "crossvit"
    Settings = CrossVitSettings
    has_pyramid = False
    settings: CrossVitSettings

    def __init__(self, settings: CrossVitSettings) -> None:
        self.form = FORMS[settings.form]
        self.resolutions = settings.resolutions or self.form.resolutions
        patch = self.form.patches.small
        wrong = [side for side in self.resolutions if side % patch]
        if wrong:
            raise UsageError(
                f"space 'crossvit', setting 'resolutions' got {wrong[0]}: allowed: multiples of {patch}, "
                "the small patch"
            )
        super().__init__(settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, width and depth, then each block's large depth, heads and MLP ratio."""
        form = self.form
        knobs = [Knob("resolution", self.resolutions), Knob("width", form.widths), Knob("depth", form.depths)]
        for block in range(1, form.depths[-1] + 1):
            present = tuple(value for value in form.depths if value >= block)
            knobs.append(Knob(f"block{block}.large_depth", form.large_depths, True, "depth", present))
            knobs.append(Knob(f"block{block}.heads", form.heads, True, "depth", present))
            knobs.append(Knob(f"block{block}.mlp_ratio", form.mlp_ratios, True, "depth", present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network."""
        values = architecture.values
        side = int(values["resolution"])
        blocks = [
            MultiScale(
                int(values[f"block{number}.large_depth"]),
                int(values[f"block{number}.heads"]),
                float(values[f"block{number}.mlp_ratio"]),
            )
            for number in range(1, int(values["depth"]) + 1)
        ]
        return crossvit(
            (side, side),
            self.settings.num_classes,
            self.settings.in_channels,
            width=int(values["width"]),
            blocks=blocks,
            patches=self.form.patches,
            head_dim=self.form.head_dim,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: every one on resolution and width."""
        everywhere = ("resolution", "width")
        found: dict[str, tuple[str, ...]] = dict.fromkeys(("stem", "head"), everywhere)
        for number in range(1, self.form.depths[-1] + 1):
            own = (f"block{number}.{name}" for name in ("large_depth", "heads", "mlp_ratio"))
            found[f"stage1.block{number}"] = (*everywhere, *own)
        return found
