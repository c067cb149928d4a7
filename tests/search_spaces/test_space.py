from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from search_spaces.architecture import Architecture
from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

SPACES = [
    space("ofa_mobilenet"),
    space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10),
    space("autoformer"),
    space("autoformer", form="small_image", depths=(1, 3), widths=(16,)),
]


@st.composite
def populations(draw: st.DrawFn) -> tuple[SearchSpace, np.ndarray]:
    """A space and rows with arbitrary indices of allowed values, inactive knobs included."""
    found = draw(st.sampled_from(SPACES))
    rows = draw(st.integers(1, 4))
    fractions = draw(arrays.arrays(np.float64, (rows, len(found.knobs)), elements=st.floats(0, 1, exclude_max=True)))
    return found, (fractions * found.num_choices).astype(np.int64)


@settings(max_examples=150)
@given(populations())
def test_rows_architectures_and_json_are_one_network(drawn: tuple[SearchSpace, np.ndarray]) -> None:
    found, rows = drawn
    genes = found.canonical(rows)
    assert np.array_equal(found.canonical(genes), genes)
    assert np.array_equal(genes >= 0, found.active(genes))
    architectures = found.decode(rows)
    assert architectures == found.decode(genes)
    assert np.array_equal(found.encode(architectures), genes)
    assert [found.read(each.to_json()) for each in architectures] == architectures
    assert len({each.key for each in architectures}) == len(np.unique(genes, axis=0))


@settings(max_examples=100)
@given(populations(), st.data())
def test_inactive_knobs_make_no_two_networks(drawn: tuple[SearchSpace, np.ndarray], data: st.DataObject) -> None:
    found, rows = drawn
    genes = found.canonical(rows)
    noise = data.draw(arrays.arrays(np.int64, genes.shape, elements=st.integers(-40_000, 40_000)))
    noisy = np.where(genes < 0, noise, genes)
    assert np.array_equal(found.canonical(noisy), genes)


@settings(max_examples=100)
@given(populations(), populations(), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_children_are_canonical(
    first: tuple[SearchSpace, np.ndarray], second: tuple[SearchSpace, np.ndarray], seed: int, probability: float
) -> None:
    found, rng = first[0], np.random.default_rng(seed)
    mothers = found.canonical(first[1])
    fathers = found.sample(rng, len(mothers))
    mutants = found.mutate(rng, mothers, probability)
    children = found.crossover(rng, mothers, fathers)
    for genes in (mutants, children, found.sample(rng, 2)):
        assert np.array_equal(found.canonical(genes), genes)
        assert np.array_equal(genes >= 0, found.active(genes))


@settings(max_examples=60)
@given(populations(), st.data(), st.sampled_from([1, 7, 70_000, 2**40]), st.booleans())
def test_an_index_out_of_range_names_row_knob_and_range(
    drawn: tuple[SearchSpace, np.ndarray], data: st.DataObject, excess: int, negative: bool
) -> None:
    found, rows = drawn
    genes = found.canonical(rows).astype(np.int64)
    row = data.draw(st.integers(0, len(genes) - 1))
    column = data.draw(st.sampled_from(np.flatnonzero(genes[row] >= 0).tolist()))
    wrong = -excess if negative else int(found.num_choices[column]) - 1 + excess
    genes[row, column] = wrong
    knob, last = found.knobs[column].name, found.num_choices[column] - 1
    with pytest.raises(UsageError) as caught:
        found.canonical(genes)
    assert str(caught.value) == f"row {row} gives knob '{knob}' the index {wrong}: allowed: 0 to {last}"


def test_rows_of_another_width_are_an_error() -> None:
    with pytest.raises(UsageError, match=r"genes got shape \(1, 3\): allowed: \(n, 47\), one column a knob"):
        SPACES[0].canonical(np.zeros((1, 3), dtype=np.int16))


def test_sampling_repeats_under_a_seed_and_reaches_every_value(toy: SearchSpace) -> None:
    genes = toy.sample(np.random.default_rng(3), 500)
    assert np.array_equal(genes, toy.sample(np.random.default_rng(3), 500))
    for column, num in enumerate(toy.num_choices):
        assert set(genes[:, column].tolist()) - {-1} == set(range(num))


def test_mutation_with_probability_one_redraws_and_zero_keeps(toy: SearchSpace) -> None:
    genes = toy.sample(np.random.default_rng(0), 200)
    assert np.array_equal(toy.mutate(np.random.default_rng(1), genes, 0.0), genes)
    assert not np.array_equal(toy.mutate(np.random.default_rng(1), genes, 1.0), genes)


def test_one_hot_marks_the_value_of_each_active_knob(toy: SearchSpace) -> None:
    genes = toy.encode([toy.smallest()])
    marks = toy.one_hot(genes)
    assert marks.shape == (1, int(toy.num_choices.sum()))
    assert marks.sum() == (genes >= 0).sum()
    assert marks[0, :3].tolist() == [1, 0, 0]


def test_largest_and_smallest_are_the_ends(toy: SearchSpace) -> None:
    assert toy.smallest().values == {"depth": 1, "block1.operator": "mbconv", "block1.kernel": 1, "block1.expansion": 2}
    largest = toy.largest().values
    assert largest["depth"] == 3
    assert largest["block3.kernel"] == 3


def test_values_of_inactive_knobs_are_dropped(toy: SearchSpace) -> None:
    values = {"depth": 1, "block1.operator": "conv_stem", "block1.kernel": 3}
    assert toy.architecture({**values, "block1.expansion": 3, "block3.kernel": 1}).values == values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": 1, "blck1.kernel": 3}, "unknown knob of space 'toy' 'blck1.kernel': did you mean 'block1.kernel'"),
        ({"depth": 4}, "knob 'depth' got 4: allowed: 1, 2, 3"),
        ({"depth": "1"}, "knob 'depth' got '1': allowed: 1, 2, 3"),
        ({"depth": [1]}, r"knob 'depth' got \[1\]: allowed: 1, 2, 3"),
        ({"depth": 1, "block1.operator": "mbconv"}, "knob 'block1.kernel' has no value: allowed: 1, 3"),
    ],
)
def test_values_that_are_not_allowed_are_an_error(toy: SearchSpace, values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        toy.architecture(values)


def test_reading_another_spaces_architecture_is_an_error(toy: SearchSpace) -> None:
    with pytest.raises(UsageError, match="the architecture is of space 'autoformer', not 'toy'"):
        toy.read(SPACES[2].largest().to_json())


def test_reading_compares_settings_by_meaning(toy: SearchSpace) -> None:
    content = json.loads(toy.smallest().to_json())
    for settings_in_text in ({}, {"in_channels": 2, "num_classes": 3}):
        assert toy.read(json.dumps({**content, "settings": settings_in_text})) == toy.smallest()
    with pytest.raises(UsageError, match=r"settings \{'num_classes': 4\} are not the space's: .*\"num_classes\":3"):
        toy.read(json.dumps({**content, "settings": {"num_classes": 4}}))
    with pytest.raises(UsageError, match="unknown setting of space 'toy' 'num_class': did you mean 'num_classes'"):
        toy.read(json.dumps({**content, "settings": {"num_class": 4}}))
    default = space("autoformer")
    spelt = {**json.loads(default.largest().to_json()), "settings": {"form": "tiny", "num_classes": 1000}}
    assert default.read(json.dumps(spelt)) == default.largest()


def test_architectures_are_hashable_values(toy: SearchSpace) -> None:
    assert len({toy.largest(), toy.architecture(toy.largest().values), toy.smallest()}) == 2
    assert isinstance(toy.largest(), Architecture)
