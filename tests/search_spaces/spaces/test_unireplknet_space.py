from __future__ import annotations

import pytest
import torch

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.reparameterise import merge
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space
from search_spaces.testing import example, shaken


def test_the_published_networks_are_members() -> None:
    for form, name, width, depths, pattern in (
        ("atto", "unireplknet_a", 40, (2, 2, 6, 2), (13,)),
        ("tiny", "unireplknet_t", 80, (3, 3, 18, 3), (13, 3)),
    ):
        found = space("unireplknet", form=form)
        values: dict[str, int | float | str] = {"resolution": 224, "width": width}
        cycles = ((3,), (13,), pattern, (13,))
        for stage, (depth, kernels) in enumerate(zip(depths, cycles, strict=True), start=1):
            values[f"stage{stage}.depth"] = depth
            for block in range(depth):
                values[f"stage{stage}.block{block + 1}.kernel"] = kernels[block % len(kernels)]
                values[f"stage{stage}.block{block + 1}.expansion"] = 4
        assert found.blueprint(found.architecture(values)) == network(name)


def test_the_number_of_networks() -> None:
    """2 kernels x 3 expansions in the first stage, 6 x 3 in the others, summed over depths."""
    blocks = (6 + 6**2) * (18 + 18**2) ** 2 * (18**4 + 18**6 + 18**8)
    assert space("unireplknet", form="atto").size() == 3 * 3 * blocks


@pytest.mark.parametrize("side", [8, 15, 28, 64])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size_and_number_of_channels(side: int, channels: int) -> None:
    found = space("unireplknet", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (-(-side // 8),) * 2


def test_small_networks_are_quick() -> None:
    found = space("unireplknet", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "huge"}, "setting 'form' got 'huge'"),
        ({"resolutions": (32, 16)}, r"knob 'resolution' got values \(32, 16\): an ordered knob lists numbers, asc"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("unireplknet", **settings)


def test_a_network_of_the_shared_weights_merges_once_it_is_calibrated() -> None:
    found = space("unireplknet", form="small_image", in_channels=1, num_classes=4)
    shared = shaken(SharedWeights(found), seed=0)
    blueprint = found.blueprint(found.largest())
    statistics = shared.new_statistics(blueprint)
    images = example(blueprint, 8, seed=0)
    with torch.no_grad():
        shared.run(blueprint, images, "calibrate", statistics=statistics)
        network_alone = shared.extract(blueprint, statistics=statistics)
        before, after = network_alone(images), merge(network_alone)(images)
    assert float((before - after).abs().max() / before.abs().max()) < 1e-5
