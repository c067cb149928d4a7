"""A small space with what the two families lack: an operator that is a categorical knob, and knobs under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.knobs import Knob
from search_spaces.space import SearchSpace, SpaceSettings

DEPTHS = (1, 2, 3)


class ToySpace(SearchSpace):
    """One stage of up to three blocks, each a plain convolution or an inverted bottleneck with an expansion."""

    name = "toy"

    def make_knobs(self) -> Sequence[Knob]:
        knobs = [Knob("depth", DEPTHS)]
        for block in range(1, DEPTHS[-1] + 1):
            present = tuple(depth for depth in DEPTHS if depth >= block)
            operator = f"block{block}.operator"
            knobs.append(Knob(operator, ("mbconv", "conv_stem"), False, "depth", present))
            knobs.append(Knob(f"block{block}.kernel", (1, 3), True, "depth", present))
            knobs.append(Knob(f"block{block}.expansion", (2, 3), True, operator, ("mbconv",)))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        blocks = tuple(self._block(architecture, number) for number in range(1, int(architecture.values["depth"]) + 1))
        return Blueprint(
            family=self.name,
            in_channels=self.settings.in_channels,
            resolution=(9, 7),
            stem=Stage("stem", 8, (Block.of("conv_stem", kernel=3, stride=2, activation="relu"),)),
            stages=(Stage("stage1", 16, blocks),),
            head=Stage("head", self.settings.num_classes, (Block.of("mobile_head", expand_width=24, mix_width=16),)),
        )

    def _block(self, architecture: Architecture, number: int) -> Block:
        values, stride = architecture.values, 2 if number == 1 else 1
        kernel = int(values[f"block{number}.kernel"])
        if values[f"block{number}.operator"] == "conv_stem":
            return Block.of("conv_stem", kernel=kernel, stride=stride, activation="relu")
        return Block.of("mbconv", kernel=kernel, expansion=int(values[f"block{number}.expansion"]), stride=stride)

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {"stem": (), "head": ()}
        for number in range(1, DEPTHS[-1] + 1):
            found[f"stage1.block{number}"] = tuple(
                f"block{number}.{name}" for name in ("operator", "kernel", "expansion")
            )
        return found


@pytest.fixture(scope="session")
def toy() -> SearchSpace:
    return ToySpace(SpaceSettings(in_channels=2, num_classes=3))
