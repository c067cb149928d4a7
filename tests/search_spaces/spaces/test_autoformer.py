"""AutoFormer against published counts, to the digit."""

from __future__ import annotations

import numpy as np
import pytest

from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.population import PopulationCost
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

# Source: Cream/AutoFormer, experiments/subnet/*.yaml. MACs at 197 tokens, without and with relative positions.
# The released tiny network has ratio 3.0, which its own space lacks.
PUBLISHED = {
    "tiny": (
        {"form": "tiny", "mlp_ratios": (3.0, 3.5, 4.0)},
        192,
        [3.5, 3.5, 3, 3.5, 3, 3, 4, 4, 3.5, 4, 3.5, 4, 3.5],
        [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3],
        5_867_944,
        1_283_236_352,
        1_481_938_432,
    ),
    "small": (
        {"form": "small"},
        384,
        [3, 3.5, 3, 3.5, 4, 4, 4, 4, 4, 4, 4, 3.5, 4],
        [6, 6, 5, 7, 5, 5, 5, 6, 6, 7, 7, 6, 7],
        22_891_432,
        4_773_931_776,
        5_161_400_832,
    ),
}


def published(name: str, relative: bool = True) -> tuple[SearchSpace, Blueprint]:
    settings, width, ratios, heads = PUBLISHED[name][:4]
    found = space("autoformer", **settings, relative=relative)
    values: dict[str, int | float] = {"width": width, "depth": len(heads)}
    for number, (ratio, num_heads) in enumerate(zip(ratios, heads, strict=True), start=1):
        values[f"block{number}.mlp_ratio"], values[f"block{number}.heads"] = ratio, num_heads
    return found, found.blueprint(found.architecture(values))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks(name: str) -> None:
    params, macs_without, macs_with = PUBLISHED[name][4:]
    with_positions = cost(published(name)[1])
    assert (with_positions.params, with_positions.macs) == (params, macs_with)
    assert cost(published(name, relative=False)[1]).macs == macs_without


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_as_fvcore_counts_them(name: str) -> None:
    blueprint = published(name)[1]
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


@pytest.mark.parametrize(
    ("settings", "params"),
    [
        ({"form": "tiny", "widths": (256,), "heads": (4,), "depths": (14,)}, 11_669_224),
        ({"form": "small", "widths": (448,), "heads": (7,), "depths": (14,)}, 34_790_440),
    ],
)
def test_published_supernetworks(settings: dict[str, object], params: int) -> None:
    found = space("autoformer", **settings)
    assert cost(found.blueprint(found.largest())).params == params


@pytest.mark.parametrize(
    ("form", "least", "most"), [("tiny", 5_366_056, 10_517_272), ("small", 13_057_320, 34_790_440)]
)
def test_the_published_ends_of_each_space(form: str, least: int, most: int) -> None:
    found = space("autoformer", form=form)
    ends = [cost(found.blueprint(architecture)).params for architecture in (found.smallest(), found.largest())]
    assert ends == [least, most]


def params_by_formula(width: int, heads: list[int], ratios: list[float]) -> int:
    """Parameters by the tensors that AutoFormer's code makes: 197 tokens, head dimension 64, 1,000 classes."""
    total = 768 * width + width + width + 197 * width + 2 * width + 1000 * width + 1000
    for num_heads, ratio in zip(heads, ratios, strict=True):
        inner, hidden = 64 * num_heads, int(width * ratio)
        attention = width * 3 * inner + 3 * inner + inner * width + width + 4 * 30 * 64
        total += 4 * width + attention + width * hidden + hidden + hidden * width + width
    return total


@pytest.mark.parametrize("form", ["tiny", "small", "base"])
def test_params_of_random_networks_by_the_papers_tensors(form: str) -> None:
    found = space("autoformer", form=form)
    genes = found.sample(np.random.default_rng(0), 50)
    counts = PopulationCost(found).counts(genes)
    for architecture, params in zip(found.decode(genes), counts[:, 0].tolist(), strict=True):
        values = architecture.values
        blocks = range(1, int(values["depth"]) + 1)
        heads, ratios = ([values[f"block{n}.{name}"] for n in blocks] for name in ("heads", "mlp_ratio"))
        assert params == params_by_formula(values["width"], heads, ratios)


def test_the_number_of_networks() -> None:
    """Choices to the power of blocks, summed over depths (Chen et al. 2021, table 1)."""
    assert space("autoformer", form="tiny").size() == 3 * sum((2 * 2) ** depth for depth in (12, 13, 14))
    assert space("autoformer", form="small").size() == 3 * sum((3 * 3) ** depth for depth in (12, 13, 14))
    assert space("autoformer", form="base").size() == 3 * sum((2 * 3) ** depth for depth in (14, 15, 16))


@pytest.mark.parametrize(("side", "patch"), [(8, 2), (16, 4), (28, 7), (32, 4), (64, 8)])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size_and_number_of_channels(side: int, patch: int, channels: int) -> None:
    settings = {"resolution": side, "patch": patch, "in_channels": channels, "num_classes": 4}
    found = space("autoformer", form="small_image", **settings)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // patch, side // patch)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch": 15}, r"patch 15 does not divide the resolution 224: allowed: \[1, 2, 4, 7, 8, 14, 16, 28"),
        ({"widths": (0,)}, "space 'autoformer', setting 'widths.0' got 0: .*greater than 0"),
        ({"depths": (3, 2)}, r"knob 'depth' got values \(3, 2\): an ordered knob lists numbers, ascending"),
        ({"depths": ()}, r"setting 'depths' got \(\): "),
        ({"resolution": 4}, "setting 'resolution' got 4: .*greater than or equal to 8"),
        ({"with": (1,)}, "unknown setting of space 'autoformer' 'with': did you mean 'widths'"),
    ],
)
def test_autoformer_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("autoformer", **settings)
