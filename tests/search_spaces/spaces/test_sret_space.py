from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from search_spaces.block import cost
from search_spaces.building import Network, block_in_mode
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space
from search_spaces.testing import check_costs, check_space


def test_the_contract_of_a_space() -> None:
    check_space(space("sret", form="small_image", in_channels=1, num_classes=10), num=10)


def test_tables_of_a_published_form() -> None:
    check_costs(space("sret", form="tiny"), 5)


@pytest.mark.parametrize(("form", "name"), [("tiny", "T"), ("tiny", "LT_wo_slice"), ("small", "S")])
def test_published_srets_are_in_the_space(form: str, name: str) -> None:
    found, published = space("sret", form=form), network(f"SReT_{name}")
    values: dict[str, int | float | str | bool] = {"resolution": 224, "width": published.stem.width}
    for stage in published.stages:
        values[f"{stage.name}.depth"] = stage.depth
        for number, block in enumerate(stage.blocks, start=1):
            settings, position = dict(block.settings), f"{stage.name}.block{number}"
            values |= {f"{position}.{key}": settings[key] for key in ("groups", "heads", "later_groups", "loops")}
            values[f"{position}.mlp_ratio"] = {"T": 3.6, "LT_wo_slice": 4.0, "S": 3.0}[name]
    assert found.blueprint(found.architecture(values)) == published


def test_the_number_of_srets() -> None:
    stages = [(2 * 3 * 2, (1, 2)), (3 * 3 * 2, (3, 4, 5)), (3, (1, 2, 3))]
    expected = 3 * 2
    for choices, depths in stages:
        expected *= sum((choices * 3 * 3) ** depth for depth in depths)
    assert space("sret", form="tiny").size() == expected


def test_small_srets_are_quick() -> None:
    found = space("sret", form="small_image", in_channels=1, num_classes=10)
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 3), (64, 2)])
def test_small_images_of_any_size(side: int, channels: int) -> None:
    found = space("sret", form="small_image", resolutions=(side,), in_channels=channels, num_classes=4)
    placed = list(found.blueprint(found.largest()).placed())
    assert placed[0].in_width == channels
    assert placed[-1].in_size == (side // 4, side // 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resolutions": (225,)}, "setting 'resolutions' got 225: allowed: multiples of 32"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
    ],
)
def test_sret_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("sret", **settings)


def test_constants_are_made_on_the_device_of_the_data() -> None:
    """On the meta device nothing else can meet: a constant of another device is an error."""
    found = space("sret", form="small_image", in_channels=1, num_classes=10)
    blueprint = found.blueprint(found.largest())
    alone = Network([(placed, block_in_mode(placed, "train")) for placed in blueprint.placed()])
    assert alone(torch.empty(2, 1, *blueprint.resolution, device="meta")).device.type == "meta"


def test_fifty_steps_on_digits() -> None:
    found = space("sret", form="small_image", in_channels=1, num_classes=10)
    shared, digits = SharedWeights(found), load_digits()
    images, labels = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1, torch.tensor(digits.target)
    optimizer = torch.optim.AdamW(shared.tensors.values(), lr=2e-3)
    rng, losses = np.random.default_rng(0), []
    for blueprint in map(found.blueprint, found.decode(found.sample(rng, 50))):
        rows = rng.integers(0, len(images), 32)
        x = torch.nn.functional.interpolate(images[rows], blueprint.resolution)
        loss = torch.nn.functional.cross_entropy(shared.run(blueprint, x), labels[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
