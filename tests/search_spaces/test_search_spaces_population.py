from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.population import CHUNK_ROWS, PopulationCost, PopulationTable
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

FORMS = [
    ("ofa_mobilenet", {}),
    ("ofa_mobilenet", {"form": "small_image", "resolutions": (8, 16, 33)}),
    ("autoformer", {}),
    ("autoformer", {"form": "small"}),
    ("autoformer", {"form": "base", "relative": False}),
    ("autoformer", {"form": "small_image", "num_classes": 7, "in_channels": 1}),
]


@pytest.mark.parametrize(("name", "settings"), FORMS)
@pytest.mark.parametrize("counting", ["core", "fvcore", "pycls"])
def test_tables_give_what_the_layers_of_each_network_give(
    name: str, settings: dict[str, object], counting: str
) -> None:
    found = space(name, **settings)
    genes = found.sample(np.random.default_rng(1), 60)
    tables = PopulationCost(found, counting)
    alone = [cost(found.blueprint(architecture), counting) for architecture in found.decode(genes)]
    assert tables.counts(genes).tolist() == [[each.params, each.macs, each.activations] for each in alone]
    assert tables.peak_memory_bytes(genes).tolist() == [each.peak_memory_bytes for each in alone]


def test_a_population_of_several_chunks_is_the_rows_one_by_one(toy: SearchSpace) -> None:
    genes = toy.sample(np.random.default_rng(0), 2 * CHUNK_ROWS + 5)
    tables = PopulationCost(toy)
    counts = tables.counts(genes)
    assert counts.dtype == np.int64
    picked = np.array([0, CHUNK_ROWS - 1, CHUNK_ROWS, len(genes) - 1])
    assert np.array_equal(counts[picked], np.concatenate([tables.counts(genes[i : i + 1]) for i in picked]))


def test_an_empty_population_has_no_rows(toy: SearchSpace) -> None:
    assert PopulationCost(toy).counts(toy.sample(np.random.default_rng(0), 0)).shape == (0, 3)


def test_merging_tables_changes_nothing(toy: SearchSpace) -> None:
    genes = toy.sample(np.random.default_rng(0), 300)
    layers_and_macs = lambda layers: (len(layers), sum(layer.macs for layer in layers))  # noqa: E731
    apart = PopulationTable(toy, layers_and_macs, max_rows=1)
    together = PopulationTable(toy, layers_and_macs, max_rows=1_000_000)
    assert (len(apart._tables), len(together._tables)) == (4, 1)
    assert np.array_equal(apart(genes), together(genes))


def test_the_maximum_over_positions(toy: SearchSpace) -> None:
    genes = toy.sample(np.random.default_rng(0), 50)
    found = PopulationTable(toy, lambda layers: (max(layer.macs for layer in layers),), reduce=np.maximum)(genes)
    from search_spaces.block import network_layers

    expected = [max(layer.macs for layer in network_layers(toy.blueprint(each))) for each in toy.decode(genes)]
    assert found[:, 0].tolist() == expected


def test_terms_may_be_fractions(toy: SearchSpace) -> None:
    genes = toy.sample(np.random.default_rng(0), 5)
    found = PopulationTable(toy, lambda layers: (0.5 * len(layers),), dtype=np.float64)(genes)
    assert found.dtype == np.float64
    assert (found > 0).all()


def test_a_position_that_no_network_has_is_an_error(toy: SearchSpace) -> None:
    class Wrong(type(toy)):  # type: ignore[misc]
        def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
            return {**super().position_knobs(), "stage9.block1": ("depth",)}

    with pytest.raises(UsageError, match=r"space 'toy' has no block at 'stage9\.block1': mend its position_knobs"):
        PopulationCost(Wrong(toy.settings))


def test_chosen_positions_alone_are_counted() -> None:
    found = space("ofa_mobilenet", form="small_image")
    genes = found.sample(np.random.default_rng(0), 30)

    def terms(layers):
        return [sum(layer.macs for layer in layers)]

    head = PopulationTable(found, terms, only=lambda name: name == "head")(genes)
    rest = PopulationTable(found, terms, only=lambda name: name != "head")(genes)
    assert (head + rest == PopulationTable(found, terms)(genes)).all()
    with pytest.raises(UsageError, match="has no position that counts"):
        PopulationTable(found, terms, only=lambda name: False)
