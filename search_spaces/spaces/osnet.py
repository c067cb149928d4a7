"""OSNet (Zhou et al. 2019) and OSNet-AIN (2021): scales and instance norms of each omni-scale block, depth, width.

``form="person"`` is the published network for images of persons, twice as high as wide (256x128);
``form="small_image"`` is the same for square images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob
from search_spaces.osnet_choices import INSTANCE_NORMS, REDUCTION
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces


def osnet(
    blocks: Sequence[Sequence[Block]],
    *,
    widths: Sequence[int],
    stem: Block,
    feature_width: int,
    resolution: tuple[int, int],
    num_classes: int,
    in_channels: int,
) -> Blueprint:
    """Return the network of omni-scale ``blocks``, stage by stage, with transitions between the stages.

    Args:
        blocks: of each stage.
        widths: of the stem and of each stage.
        stem: the block of the stem.
        feature_width: of the feature vector; 0 leaves the classifier out, and ``num_classes`` is the vector's length.
        resolution: (height, width) in pixels.
        num_classes: of the classifier.
        in_channels: of the image.
    """
    stages: list[Stage] = []
    for index, (width, found) in enumerate(zip(widths[1:], blocks, strict=True)):
        if index:
            transition = (Block.of("osnet_transition", stride=2),)
            stages.append(Stage(f"stage{2 * index}", stages[-1].width, transition))
        stages.append(Stage(f"stage{2 * index + 1}", width, tuple(found)))
    return Blueprint(
        family="osnet",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", widths[0], (stem,)),
        stages=tuple(stages),
        head=Stage("head", num_classes, (Block.of("osnet_head", feature_width=feature_width),)),
    )


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form; ``widths`` are of the stem and of each stage."""

    widths: tuple[int, ...]
    width_multipliers: tuple[float, ...]
    depths: tuple[int, ...]
    streams: tuple[int, ...]
    heights: tuple[int, ...]
    height_to_width: int
    stem_kernel: int
    stem_stride: int
    feature_width: int


WIDTHS = (64, 256, 384, 512)
FORMS = {
    "person": Form(WIDTHS, (0.25, 0.5, 0.75, 1.0), (1, 2, 3), (1, 2, 3, 4), (256,), 2, 7, 4, 512),
    "small_image": Form((16, 16, 32, 48), (0.5, 1.0), (1, 2), (1, 2, 3), (8, 12), 1, 3, 1, 48),
}


def scaled_width(width: int, multiplier: float) -> int:
    """Return ``width`` times ``multiplier``, to the nearest multiple of what a block divides it by."""
    return max(REDUCTION, REDUCTION * round(width * multiplier / REDUCTION))


class OsnetSettings(SpaceSettings):
    """Settings of the space; tuples that are left out come from the form. ``heights`` are in pixels."""

    form: Literal["person", "small_image"] = "person"
    heights: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    width_multipliers: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)
    depths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    instance_norm: bool = True


@spaces.register("osnet")
class Osnet(SearchSpace):
    """OSNet. Stages 1, 3 and 5 hold the blocks, 2 and 4 the transitions; without ``instance_norm``, plain OSNet."""

    name = "osnet"
    Settings = OsnetSettings
    settings: OsnetSettings

    def __init__(self, settings: OsnetSettings) -> None:
        self.form = form = FORMS[settings.form]
        self.depths = settings.depths or form.depths
        self.heights = settings.heights or form.heights
        self.norms = INSTANCE_NORMS if settings.instance_norm else INSTANCE_NORMS[:1]
        self.stages = tuple(f"stage{2 * index + 1}" for index in range(len(form.widths) - 1))
        self._check_heights(settings.form)
        super().__init__(settings)

    def _check_heights(self, name: str) -> None:
        """Instance norms need more than one pixel, so that the last map has 2 rows and columns at least."""
        form = self.form
        least = form.height_to_width * form.stem_stride * 2 ** (len(self.stages) - 1) + form.height_to_width
        for height in self.heights:
            if height < least or height % form.height_to_width:
                raise UsageError(
                    f"setting 'heights' of space 'osnet' got {height}: form {name!r} takes multiples "
                    f"of {form.height_to_width} from {least} pixels on"
                )

    def make_knobs(self) -> Sequence[Knob]:
        """Return height, width, then each stage's depth and each block's scales and instance norms."""
        knobs = [
            Knob("height", self.heights),
            Knob("width", self.settings.width_multipliers or self.form.width_multipliers),
        ]
        for stage in self.stages:
            depth = f"{stage}.depth"
            knobs.append(Knob(depth, self.depths))
            for number in range(1, self.depths[-1] + 1):
                present = tuple(value for value in self.depths if value >= number)
                block = f"{stage}.block{number}"
                knobs.append(Knob(f"{block}.streams", self.form.streams, True, depth, present))
                knobs.append(Knob(f"{block}.instance_norm", self.norms, False, depth, present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: stem, stages with transitions between them, feature vector, classifier."""
        form, height = self.form, int(architecture.values["height"])
        stem = Block.of(
            "osnet_stem", kernel=form.stem_kernel, stride=form.stem_stride, instance_norm=self.settings.instance_norm
        )
        return osnet(
            [self._blocks(stage, architecture) for stage in self.stages],
            widths=[scaled_width(width, float(architecture.values["width"])) for width in form.widths],
            stem=stem,
            feature_width=form.feature_width,
            resolution=(height, height // form.height_to_width),
            num_classes=self.settings.num_classes,
            in_channels=self.settings.in_channels,
        )

    def _blocks(self, stage: str, architecture: Architecture) -> list[Block]:
        values = architecture.values
        return [
            Block.of(
                "osnet_block",
                streams=int(values[f"{stage}.block{number}.streams"]),
                instance_norm=str(values[f"{stage}.block{number}.instance_norm"]),
            )
            for number in range(1, int(values[f"{stage}.depth"]) + 1)
        ]

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on."""
        everywhere = ("height", "width")
        found: dict[str, tuple[str, ...]] = dict.fromkeys(("stem", "head"), everywhere)
        for index, stage in enumerate(self.stages):
            if index:
                found[f"stage{2 * index}.block1"] = everywhere
            for number in range(1, self.depths[-1] + 1):
                block = f"{stage}.block{number}"
                found[block] = (*everywhere, f"{block}.streams", f"{block}.instance_norm")
        return found
