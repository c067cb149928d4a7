from __future__ import annotations

from pathlib import Path

import pytest

from experiments.benchmarks.storage import report_of, run
from experiments.benchmarks.storage_rows import make_rows
from experiments.report.data import read_report_data
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


def test_the_report_of_a_front_of_many_shows_some_and_says_so(tmp_path: Path) -> None:
    url = str(tmp_path / "nas.db")
    with Store.open(url) as store:
        make_rows(store, "many", 1500, noise=0.0)
    row, sizes = report_of(url, str(tmp_path))
    assert row["what"] == "report"
    assert sizes["report_html_mib"] > 0
    page = (tmp_path / "report.html").read_text()
    assert "1500 on the front of 1500 compared; 1,000 of the front are shown" in page
    assert "The front as a table (1,000 of 1,500 networks)" in page
    assert read_report_data((tmp_path / "report.json").read_text()).table.num_evaluated == 1500
