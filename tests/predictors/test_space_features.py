import numpy as np
import pytest

from predictors.features import STRUCTURAL_TERMS, structural_terms
from predictors.space_features import SpaceFeatures
from search_spaces.block import network_layers
from search_spaces.spaces import space

OFA = space("ofa_mobilenet", form="small_image")
GENES = OFA.sample(np.random.default_rng(0), 20)


def test_totals_are_those_of_the_networks_and_stages_add_up_to_less():
    found = SpaceFeatures(OFA)(GENES)
    for row, architecture in enumerate(OFA.decode(GENES)):
        assert found["totals"][row].tolist() == list(structural_terms(network_layers(OFA.blueprint(architecture))))
    by_stage = found["stages"].reshape(len(GENES), -1, len(STRUCTURAL_TERMS)).sum(axis=1)
    assert (by_stage <= found["totals"]).all()
    assert (by_stage[:, 2] > 0.3 * found["totals"][:, 2]).all()


def test_counts_say_how_often_each_choice_is_made():
    features = SpaceFeatures(OFA)
    found = features(GENES)
    assert found["counts"].sum(axis=1) == pytest.approx((GENES >= 0).sum(axis=1))
    assert found["counts"].shape[1] < found["one_hot"].shape[1]
    assert {group.name for group in features.groups} == set(found)


def test_one_cell_everywhere_needs_no_stages_and_what_is_needed_is_told():
    cells = space("nb201", form="small_image", operators=("none", "skip_connect", "nor_conv_3x3"))
    genes = cells.sample(np.random.default_rng(0), 30)
    features = SpaceFeatures(cells, needed=lambda genes: np.where(np.arange(genes.shape[1]) == 8, 0, genes))
    found = features(genes)
    assert "stages" not in found
    assert set(found) == {group.name for group in features.groups}
    assert (found["needed_totals"][:, 2] <= found["totals"][:, 2]).all()
    assert found["needed_counts"].shape == found["counts"].shape
