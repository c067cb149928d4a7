from __future__ import annotations

import numpy as np
import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.population import PopulationCost
from search_spaces.spaces import space


@pytest.mark.parametrize("form", ["tiny", "small", "base"])
def test_deit_is_in_the_published_forms(form: str) -> None:
    found, published = space("vit", form=form), network(f"deit_{form}_patch16_224")
    width, heads = published.stages[0].width, published.stages[0].width // 64
    values: dict[str, int | float] = {"resolution": 224, "patch": 16, "width": width, "depth": 12}
    for block in range(1, 13):
        values[f"block{block}.heads"], values[f"block{block}.mlp_ratio"] = heads, 4.0
    assert found.blueprint(found.architecture(values)) == published


def test_the_number_of_vision_transformers() -> None:
    blocks = sum((3 * 3) ** depth for depth in (10, 11, 12))
    for form, widths in (("tiny", 4), ("base", 3)):
        assert space("vit", form=form).size() == 3 * 2 * widths * blocks


def test_small_images_are_quick() -> None:
    found = space("vit", form="small_image", in_channels=1, num_classes=10)
    genes = np.concatenate([found.sample(np.random.default_rng(0), 500), found.encode([found.largest()])])
    assert PopulationCost(found).counts(genes)[:, 1].max() < 2_000_000


@pytest.mark.parametrize(("side", "patch"), [(8, 2), (28, 7), (64, 16)])
@pytest.mark.parametrize("channels", [1, 4])
def test_small_images_of_any_size(side: int, patch: int, channels: int) -> None:
    found = space("vit", form="small_image", resolutions=(side,), patches=(patch,), in_channels=channels, num_classes=4)
    blueprint = found.blueprint(found.largest())
    assert next(blueprint.placed()).in_width == channels
    assert cost(blueprint).params > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patches": (16, 15)}, r"patch 15 does not divide the resolution 160: allowed: \[1, 2, 4, 5, 8, 10, 16, 20"),
        ({"widths": (0,)}, "space 'vit', setting 'widths.0' got 0: .*greater than 0"),
        ({"depths": (3, 2)}, r"knob 'depth' got values \(3, 2\): an ordered knob lists numbers, ascending"),
        ({"form": "huge"}, "setting 'form' got 'huge'"),
        ({"patch": 16}, "unknown setting of space 'vit' 'patch': did you mean 'patches'"),
    ],
)
def test_vit_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("vit", **settings)
