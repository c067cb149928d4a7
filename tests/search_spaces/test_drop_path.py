from __future__ import annotations

import pytest
import torch
from torch import nn

from search_spaces.drop_path import depth_rates, skip_at_random
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space
from search_spaces.testing import shaken

TRANSFORMER = {"form": "small_image", "resolution": 8, "in_channels": 1, "num_classes": 3}


class Adds(nn.Module):
    residual = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 1


def test_what_a_block_adds_is_dropped_for_whole_images_and_its_mean_stays() -> None:
    x = torch.randn(4000, 2, 3)
    added = skip_at_random(Adds(), x, Adds()(x), 0.25) - x
    assert added.flatten(1).std(1).max() < 1e-6
    values, counts = added[:, 0, 0].round(decimals=3).unique(return_counts=True)
    assert values.tolist() == pytest.approx([0, 4 / 3], abs=1e-3)
    assert counts[0] / 4000 == pytest.approx(0.25, abs=0.03)
    assert float(added.mean()) == pytest.approx(1, abs=0.04)


def test_a_block_that_is_not_residual_or_changes_the_shape_is_never_skipped() -> None:
    x, out = torch.zeros(50, 2), torch.ones(50, 2)
    assert skip_at_random(nn.Identity(), x, out, 0.9) is out
    other = torch.ones(50, 3)
    assert skip_at_random(Adds(), x, other, 0.9) is other


def test_probabilities_rise_with_depth_and_spare_stem_and_head() -> None:
    assert depth_rates(0.2, 6) == pytest.approx([0, 0.05, 0.1, 0.15, 0.2, 0])


@pytest.mark.parametrize(
    ("name", "given"),
    [("autoformer", TRANSFORMER), ("ofa_mobilenet", {"form": "small_image", "in_channels": 1, "num_classes": 3})],
)
class TestSharedWeights:
    def test_training_alone_drops_and_draws_from_the_generator(self, name, given) -> None:
        made = space(name, **given)
        shared, blueprint = shaken(SharedWeights(made, 0), 0), made.blueprint(made.largest())
        x = torch.randn(8, 1, *blueprint.resolution)
        with torch.no_grad():
            plain = shared.run(blueprint, x)
            torch.manual_seed(1)
            first = shared.run(blueprint, x, drop_path=0.5)
            torch.manual_seed(1)
            again, other = shared.run(blueprint, x, drop_path=0.5), shared.run(blueprint, x, drop_path=0.5)
            statistics = shared.new_statistics(blueprint)
            shared.run(blueprint, x, "calibrate", statistics=statistics)
            evaluated = [
                shared.run(blueprint, x, "evaluate", statistics=statistics, drop_path=rate) for rate in (0.0, 0.5)
            ]
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert not torch.equal(first, plain)
        assert torch.equal(*evaluated)
        assert torch.equal(plain, shared.run(blueprint, x, drop_path=0.0))
