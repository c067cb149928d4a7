import json

import numpy as np
import pytest

from predictors.encoding import Encoding, Group
from search_spaces.errors import UsageError

GROUPS = (Group("totals", trend=True), Group("one_hot", -2.0, standardise=False))
RNG = np.random.default_rng(0)
POPULATION = {"totals": RNG.normal(5.0, [1.0, 1e6, 1e-3], size=(400, 3)), "one_hot": np.eye(4)[RNG.integers(0, 4, 400)]}


def test_rows_of_each_group_have_a_mean_squared_length_of_one():
    encoding = Encoding.of(GROUPS, POPULATION)
    rows = encoding(POPULATION)
    for part in encoding.slices:
        assert rows[:, part].mean(axis=0) == pytest.approx(np.zeros(part.stop - part.start), abs=1e-9)
        assert (rows[:, part] ** 2).sum(axis=1).mean() == pytest.approx(1.0)


def test_standardised_columns_weigh_alike_and_others_as_they_vary():
    encoding = Encoding.of(GROUPS, POPULATION)
    totals, one_hot = (encoding(POPULATION)[:, part].std(axis=0) for part in encoding.slices)
    assert totals == pytest.approx(np.full(3, 3**-0.5))
    assert one_hot / POPULATION["one_hot"].std(axis=0) == pytest.approx(np.full(4, encoding.scale[-1]))


def test_a_column_that_does_not_vary_is_zero_also_where_it_later_does():
    encoding = Encoding.of([Group("totals")], {"totals": np.array([[1.0, 7.0], [2.0, 7.0]])})
    assert encoding({"totals": np.array([[1.5, 99.0]])}).tolist() == [[0.0, 0.0]]


def test_json_and_back():
    encoding = Encoding.of(GROUPS, POPULATION)
    again = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict())))
    assert again.groups == encoding.groups
    assert (again(POPULATION) == encoding(POPULATION)).all()


def test_other_columns_are_refused():
    encoding = Encoding.of(GROUPS, POPULATION)
    with pytest.raises(UsageError, match="columns 'one_hot' are missing"):
        encoding({"totals": POPULATION["totals"]})
    with pytest.raises(UsageError, match="one_hot has 3 columns: the model was fitted on 4"):
        encoding({**POPULATION, "one_hot": POPULATION["one_hot"][:, :3]})
