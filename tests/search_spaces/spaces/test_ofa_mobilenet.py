"""Once-for-All MobileNetV3 against published counts, to the digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_spaces.architecture import Architecture
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.population import PopulationCost
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

ACCURACY = Path(__file__).parents[3].parent / "shared" / "data" / "ofa" / "accuracy.parquet"

# Sources: "max" and "min" are the ends of Once-for-All's space as its code (ofa_mbv3.py, width 1.0) builds them; "A" is
# a network of IntelLabs/DyNAS-T's table of evaluations; "note8" is the specialised network note8 lat@22ms.
PUBLISHED = {
    "max@224": ([7] * 20, [6] * 20, [4] * 5, 224, 7_664_760, 566_170_656),
    "min@224": ([3] * 20, [3] * 20, [2] * 5, 224, 3_410_792, 121_278_672),
    "min@128": ([3] * 20, [3] * 20, [2] * 5, 128, 3_410_792, 41_476_224),
    "A@224": (
        [7, 3, 3, 7, 5, 3, 3, 3, 7, 3, 7, 7, 7, 3, 7, 5, 3, 3, 3, 3],
        [3, 6, 6, 3, 6, 3, 6, 6, 6, 6, 4, 3, 4, 6, 4, 3, 3, 6, 4, 4],
        [3, 2, 2, 3, 2],
        224,
        4_536_768,
        244_945_104,
    ),
    "note8@140": (
        [3, 3, 3, 3, 5, 5, 3, 3, 7, 3, 3, 3, 5, 3, 3, 3, 3, 7, 3, 3],
        [3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3, 3, 3, 4, 3, 3, 6, 6, 3, 6],
        [2, 2, 2, 2, 2],
        140,
        4_304_592,
        67_196_888,
    ),
}


def values_of(kernels: list[int], expansions: list[int], depths: list[int], resolution: int) -> dict[str, int | float]:
    """Knob values of Once-for-All's own encoding: 5 stages x 4 blocks, stage by stage."""
    values: dict[str, int | float] = {"resolution": resolution, "width": 1.0}
    for index in range(20):
        block = f"stage{2 + index // 4}.block{1 + index % 4}"
        values[f"{block}.kernel"], values[f"{block}.expansion"] = kernels[index], expansions[index]
    values.update({f"stage{2 + index}.depth": depth for index, depth in enumerate(depths)})
    return values


@pytest.fixture(scope="module")
def imagenet() -> SearchSpace:
    return space("ofa_mobilenet")


@pytest.mark.parametrize("row", PUBLISHED.values(), ids=PUBLISHED)
def test_published_networks(imagenet: SearchSpace, row: tuple[list[int], list[int], list[int], int, int, int]) -> None:
    architecture = imagenet.architecture(values_of(*row[:4]))
    counted = cost(imagenet.blueprint(architecture))
    assert (counted.params, counted.macs) == row[4:]
    counts = PopulationCost(imagenet).counts(imagenet.encode([architecture]))
    assert counts.tolist() == [[counted.params, counted.macs, counted.activations]]


@pytest.mark.parametrize("row", PUBLISHED.values(), ids=PUBLISHED)
def test_published_networks_as_fvcore_counts_them(
    imagenet: SearchSpace, row: tuple[list[int], list[int], list[int], int, int, int]
) -> None:
    blueprint = imagenet.blueprint(imagenet.architecture(values_of(*row[:4])))
    counted = cost(blueprint, "fvcore")
    assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)


def test_the_batch_norms_of_network_a_as_fvcore_counts_them(imagenet: SearchSpace) -> None:
    """fvcore's BatchNorm total on network A in evaluation mode is 11,052,832."""
    blueprint = imagenet.blueprint(imagenet.architecture(values_of(*PUBLISHED["A@224"][:4])))
    assert cost(blueprint, "fvcore").macs - cost(blueprint).macs == 11_052_832


def test_the_ends_of_the_space_are_the_published_ones(imagenet: SearchSpace) -> None:
    assert cost(imagenet.blueprint(imagenet.largest())).macs == PUBLISHED["max@224"][5]
    assert cost(imagenet.blueprint(imagenet.smallest())).macs == PUBLISHED["min@128"][5]


def test_every_network_of_the_published_accuracy_table(imagenet: SearchSpace) -> None:
    if not ACCURACY.exists():
        pytest.skip("shared/data/ofa/accuracy.parquet is not beside the repository")
    import pandas as pd

    table = pd.read_parquet(ACCURACY)
    assert len(table) == 1_458
    architectures = [published(imagenet, row) for row in table.to_dict("records")]
    expected = table[["params", "macs"]].to_numpy()
    alone = [cost(imagenet.blueprint(architecture)) for architecture in architectures]
    assert np.array_equal([[each.params, each.macs] for each in alone], expected)
    genes = imagenet.encode(architectures)
    assert np.array_equal(PopulationCost(imagenet).counts(genes)[:, :2], expected)
    assert len({architecture.key for architecture in architectures}) == len(np.unique(genes, axis=0)) == 1_336


def published(imagenet: SearchSpace, row: dict[str, int]) -> Architecture:
    lists = [[row[f"{name}_{i}"] for i in range(num)] for name, num in (("ks", 20), ("e", 20), ("d", 5))]
    return imagenet.architecture(values_of(*lists, row["resolution"]))


def test_the_size_is_the_papers(imagenet: SearchSpace) -> None:
    """More than 10^19 networks (Cai et al. 2020), at each of 25 resolutions."""
    assert imagenet.size() == 25 * ((3 * 3) ** 2 + (3 * 3) ** 3 + (3 * 3) ** 4) ** 5
    assert 1e19 < imagenet.size() / 25 < 1e20


@pytest.mark.parametrize("side", [8, 12, 16, 28, 32, 48, 64])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("ofa_mobilenet", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    for architecture in (found.smallest(), found.largest()):
        placed = list(found.blueprint(architecture).placed())
        assert placed[0].in_width == channels
        assert min(placed[-1].in_size) >= 2
        assert placed[-1].out_width == 4


def test_the_width_knob_scales_every_stage() -> None:
    found = space("ofa_mobilenet", width_multipliers=(0.5, 1.0, 1.4))
    wide = found.blueprint(found.largest())
    assert [stage.width for stage in wide.all_stages()] == [24, 24, 32, 56, 112, 160, 224, 1000]
    narrow = found.blueprint(found.smallest())
    assert [stage.width for stage in narrow.all_stages()] == [8, 8, 16, 24, 40, 56, 80, 1000]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "imagenett"}, "space 'ofa_mobilenet', setting 'form' got 'imagenett': .*'imagenet' or 'small_image'"),
        ({"resolutions": ()}, r"setting 'resolutions' got \(\): "),
        ({"resolutions": (128, 0)}, "setting 'resolutions.1' got 0: .*greater than 0"),
        ({"resolutions": (128.5,)}, "setting 'resolutions.0' got 128.5: .*integer"),
        ({"resolutions": (132, 128)}, r"knob 'resolution' got values \(132, 128\): an ordered knob lists numbers, asc"),
        ({"num_classes": 0}, "setting 'num_classes' got 0: .*greater than or equal to 1"),
        ({"resolution": 128}, "unknown setting of space 'ofa_mobilenet' 'resolution': did you mean 'resolutions'"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("ofa_mobilenet", **settings)
