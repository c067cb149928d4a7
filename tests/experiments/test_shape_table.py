from __future__ import annotations

import numpy as np

from experiments.shape_table import levelled_networks
from scaling.shape import shape_of
from search_spaces.spaces import space


def shapes(name: str, num: int, **settings: object) -> np.ndarray:  # type: ignore[type-arg]
    family = space(name, form="small_image", **settings)
    return np.log([shape_of(family.blueprint(each)) for each in family.decode(levelled_networks(family, num, 0))])


def test_networks_are_distinct_and_repeat_by_seed() -> None:
    family = space("ofa_mobilenet", form="small_image")
    one, same, other = (levelled_networks(family, 60, seed) for seed in (0, 0, 1))
    assert len(np.unique(one, axis=0)) == 60
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_dimensions_vary_further_than_knob_by_knob_and_independently() -> None:
    family = space("resnet", form="small_image")
    levelled = shapes("resnet", 150)
    drawn = family.sample(np.random.default_rng(0), 150)
    by_knob = np.log([shape_of(family.blueprint(each)) for each in family.decode(drawn)])
    assert levelled[:, 0].std() > 1.2 * by_knob[:, 0].std()
    assert np.abs(np.corrcoef(levelled.T) - np.eye(3)).max() < 0.4


def test_a_space_of_few_networks_gives_those_it_has() -> None:
    family = space("nasnet")
    found = levelled_networks(family, 100, 0)
    assert len(found) == len(np.unique(found, axis=0)) == family.size() == 27
