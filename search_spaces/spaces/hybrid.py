"""Hybrid networks: every stage chooses its token mixer, its norms, its channel attention and its feed-forward part.

Four stages of metaformer blocks (Yu et al. 2022, arXiv 2111.11418), CNN and attention stages in any order, one
supernetwork: a stage's choices are token mixer, kernel or window (where the mixer has one), norm, feed-forward part,
channel attention, expansion, depth and width; the norm before each halving of the map is chosen apart (``in`` there is
IBN-b). The network chooses resolution, stem (patches, convolutions, cross-scale) and patch.

``form`` is ``tiny``, for 224 pixels, or ``small_image`` for images of 8 to 64 pixels. ``mixers`` narrows the token
mixers, which are all that are registered. A mixer that can't take the map of a stage is an error when the space is
made, which loads the mixers and so torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.attention_names import ATTENTION_NAMES
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.hybrid_forms import FORMS
from search_spaces.knobs import Knob, Value
from search_spaces.norm_names import NORM_NAMES
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces

if TYPE_CHECKING:
    from search_spaces.mixers import Mixer

STEMS = ("patch", "conv", "cross_scale")
ENTRY_NORMS = ("bn", "ln", "in")
EVERYWHERE = ("resolution", "patch")
STAGE_CHOICES = (
    *("width", "depth", "mixer", "kernel", "window", "norm", "feed_forward", "attention", "expansion", "entry_norm"),
)


class HybridSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form, and all token mixers."""

    form: Literal["tiny", "small_image"] = "tiny"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    patches: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    mixers: tuple[str, ...] | None = Field(None, min_length=1)


@spaces.register("hybrid")
class HybridSpace(SearchSpace):
    """Stages of any token mixer."""

    name = "hybrid"
    Settings = HybridSettings
    settings: HybridSettings

    def __init__(self, settings: HybridSettings) -> None:
        # Late, since mixers are modules: what a space of another family loads needs no torch.
        from search_spaces.feed_forwards import feed_forwards
        from search_spaces.hybrid_places import check_places, sides
        from search_spaces.mixers import mixers

        self.form = FORMS[settings.form]
        self.resolutions = settings.resolutions or self.form.resolutions
        self.patches = settings.patches or self.form.patches
        names = settings.mixers or tuple(mixers.names())
        self.mixers: dict[str, Mixer] = {name: mixers.get(name) for name in names}
        self._reaches = [(name, reach) for name, mixer in self.mixers.items() for reach in sides(self.form, mixer)]
        self.feed_forwards = tuple(feed_forwards.names())
        super().__init__(settings)
        check_places(self.name, self.form, self.resolutions, self.patches, STEMS, self.mixers)

    @property
    def num_stages(self) -> int:
        """The number of stages."""
        return len(self.form.widths)

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, stem and patch, then the choices of each stage."""
        knobs = [Knob("resolution", self.resolutions), Knob("stem", STEMS, False), Knob("patch", self.patches, False)]
        for number, (widths, depths) in enumerate(zip(self.form.widths, self.form.depths, strict=True), start=1):
            knobs += [
                Knob(f"stage{number}.{name}", values, ordered)
                for name, values, ordered in self._stage_choices(widths, depths)
            ]
            if number > 1:
                knobs.append(Knob(f"stage{number}.entry_norm", ENTRY_NORMS, False))
            for reach, values in (("kernel", self.form.kernels), ("window", self.form.windows)):
                users = tuple(name for name, mixer in self.mixers.items() if mixer.reach == reach)
                if users:
                    knobs.append(Knob(f"stage{number}.{reach}", values, True, f"stage{number}.mixer", users))
        return knobs

    def _stage_choices(
        self, widths: tuple[int, ...], depths: tuple[int, ...]
    ) -> Iterator[tuple[str, tuple[Value, ...], bool]]:
        """Yield (name, values, whether they are ordered) of what every stage chooses."""
        yield "width", widths, True
        yield "depth", depths, True
        yield "mixer", tuple(self.mixers), False
        yield "norm", NORM_NAMES, False
        yield "feed_forward", self.feed_forwards, False
        yield "attention", ATTENTION_NAMES, False
        yield "expansion", self.form.expansions, True

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return what ``architecture`` means."""
        values = architecture.values
        side, patch = int(values["resolution"]), int(values["patch"])
        stem = Block.of("stem_slot", stem=values["stem"], stride=patch)
        return Blueprint(
            family=self.name,
            in_channels=self.settings.in_channels,
            resolution=(side, side),
            stem=Stage("stem", int(values["stage1.width"]), (stem,)),
            stages=tuple(self._stage(number, values) for number in range(1, self.num_stages + 1)),
            head=Stage("head", self.settings.num_classes, (Block.of("layer_norm_head", pooling="mean"),)),
        )

    def _stage(self, number: int, values: Mapping[str, Value]) -> Stage:
        name = f"stage{number}"
        of = {choice: values[f"{name}.{choice}"] for choice in STAGE_CHOICES if f"{name}.{choice}" in values}
        width, depth = int(of.pop("width")), int(of.pop("depth"))
        stride = self.form.strides[number - 1]
        return Stage(name, width, _blocks(tuple(of.items()), depth, stride, self.form.head_dim))

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: resolution and patch, and choices of its stage."""
        found: dict[str, tuple[str, ...]] = {"stem": (*EVERYWHERE, "stem", "stage1.width")}
        for number, depths in enumerate(self.form.depths, start=1):
            stage = f"stage{number}"
            reaches = [name for name in ("kernel", "window") if f"{stage}.{name}" in self.column]
            mixing = tuple(f"{stage}.{name}" for name in ("width", "depth", "mixer", "norm", *reaches))
            feeding = tuple(
                f"{stage}.{name}" for name in ("width", "depth", "norm", "feed_forward", "attention", "expansion")
            )
            first = 1 if number == 1 else 2
            if number > 1:
                widths = f"stage{number - 1}.width", f"{stage}.width"
                found[f"{stage}.block1"] = (*EVERYWHERE, *widths, f"{stage}.entry_norm")
            for pair in range(depths[-1]):
                found[f"{stage}.block{first + 2 * pair}"] = (*EVERYWHERE, *mixing)
                found[f"{stage}.block{first + 2 * pair + 1}"] = (*EVERYWHERE, *feeding)
        found["head"] = (*EVERYWHERE, f"stage{self.num_stages}.width")
        return found

    def covering(self) -> Sequence[Architecture]:
        """Return the largest networks with each stem and patch, and with each mixer at each kernel or window."""
        choices: list[dict[str, Value]] = [
            {"stem": stem, "patch": patch} for stem, patch in product(STEMS, self.patches)
        ]
        stages = range(1, self.num_stages + 1)
        for mixer, (reach, side) in self._reaches:
            # Tables and filters are largest on the largest map.
            chosen: dict[str, Value] = {"patch": min(self.patches)}
            chosen |= {f"stage{number}.mixer": mixer for number in stages}
            chosen |= {f"stage{number}.{reach}": side for number in stages if reach != "none"}
            choices.append(chosen)
        last = {knob.name: knob.values[-1] for knob in self.knobs}
        return [self.architecture({**last, **chosen}) for chosen in choices]


@lru_cache(maxsize=1 << 14)
def _blocks(choices: tuple[tuple[str, Value], ...], depth: int, stride: int, head_dim: int) -> tuple[Block, ...]:
    """Return the blocks of a stage: the way into it, where there is one, then ``depth`` pairs."""
    of = dict(choices)
    entry = of.pop("entry_norm", None)
    blocks = [] if entry is None else [Block.of("norm_reduction", norm=entry, stride=stride)]
    feeding = {name: of.pop(name) for name in ("expansion", "attention", "feed_forward")}
    for pair in range(depth):
        blocks.append(Block.of("token_mixer", head_dim=head_dim, shifted=pair % 2 == 1, **of))
        blocks.append(Block.of("channel_mixer", norm=of["norm"], **feeding))
    return tuple(blocks)
