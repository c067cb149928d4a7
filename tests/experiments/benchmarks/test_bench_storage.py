from __future__ import annotations

import pytest

from experiments.benchmarks.storage import run
from experiments.store.store import Store
from search_spaces.errors import UsageError


def test_it_measures_what_it_made(url: str) -> None:
    found = run(evaluations=300, storage=url, report=False)
    assert 1 <= found["front_size"] < 300
    assert len(found["results"]) == 5
    assert all(row["seconds"] > 0 for row in found["results"])
    with Store.open(url) as store:
        [summary] = store.studies()
        assert summary.num_evaluations == 300
        study = store.load("many")
        assert len(study.values()) == 300
        page = study.evaluations(after=150, limit=100)
        assert [row.sequence for row in page] == list(range(151, 251))
        assert list(page[0].values) == ["validation_accuracy", "latency_ms@made", "macs"]
    with pytest.raises(UsageError, match="give an empty database"):
        run(evaluations=1, storage=url)
