from __future__ import annotations

import numpy as np

from experiments.made_table import made_table
from search_spaces.spaces import space


def test_a_made_table_trades_accuracy_for_latency_and_depends_on_its_seed_alone() -> None:
    family = space("ofa_mobilenet", form="small_image")
    table, again, other = made_table(family), made_table(family), made_table(family, seed=1)
    genes = family.sample(np.random.default_rng(0), 200)
    values = table.evaluate(genes)
    assert np.isfinite(values).all()
    assert (again.evaluate(genes) == values).all()
    assert (other.evaluate(genes) != values).any()
    ends = table.evaluate(family.encode([family.smallest(), family.largest()]))
    assert (ends[0] < ends[1]).all()
    assert 0.0 < table.box.share(values) < 1.0
