"""Small tabular studies for tests."""

from __future__ import annotations

from typing import Any

from experiments.job import make_job, submit_job
from experiments.store.store import Store, Study

SEARCH = {"evaluations": 24, "settings": {"num_initial": 12, "num_offspring": 6}}


def tabular(name: str, evaluation_s: float = 0.0, **changes: Any) -> dict[str, Any]:
    return {"name": name, "table": {"evaluation_s": evaluation_s}, "search": SEARCH, **changes}


def submit(store: Store, name: str, evaluation_s: float = 0.0, **changes: Any) -> Study:
    return submit_job(store, make_job(tabular(name, evaluation_s, **changes), "test"))
