"""A study of very many evaluations, made of chance and written in bulk: to measure reading, at no cost of writing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import insert, update

from experiments.store.models import ArchitectureRow, MeasurementRow, StudyRow, WorkRow
from experiments.store.store import Store

CHUNK = 20_000
COLUMNS = (
    ("validation_accuracy", "", "%", "measured"),
    ("latency_ms", "made", "ms", "predicted"),
    ("macs", "", "count", "analytic"),
)
COSTS = {"params": 10**6, "activations": 10**6, "peak_memory_bytes": 10**7}


def make_rows(store: Store, name: str, num: int, seed: int) -> None:
    """Make a finished study of ``num`` evaluations with an architecture and three measurements each.

    The database must be empty: rows get ids from 1.
    """
    rng = np.random.default_rng(seed)
    study = store.study(name, {"made": True}, seed=seed)
    for start in range(0, num, CHUNK):
        with store._database.write() as session:
            for table, rows in _chunk(study.id, start, min(CHUNK, num - start), rng):
                session.execute(insert(table), rows)
    with store._database.write() as session:
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(num_evaluations=num, state="done"))


def _chunk(study_id: int, start: int, num: int, rng: np.random.Generator) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    numbers = range(start + 1, start + num + 1)
    keys = [f"{number:064x}" for number in numbers]
    knobs = rng.integers(0, 5, (num, 20)).tolist()
    yield (
        ArchitectureRow,
        [
            {"id": n, "study_id": study_id, "key": key, "space": "made", "content": json.dumps({"knobs": row})}
            for n, key, row in zip(numbers, keys, knobs, strict=True)
        ],
    )
    yield (
        WorkRow,
        [
            {
                "id": n,
                "study_id": study_id,
                "kind": "evaluation",
                "key": key,
                "attempts": 1,
                "sequence": n,
                "architecture_id": n,
                "payload": {"num_images": 1000},
                "begun_at": 0.0,
                "finished_at": 1.0,
            }
            for n, key in zip(numbers, keys, strict=True)
        ],
    )
    pairs = zip(numbers, _values(num, rng), strict=True)
    yield MeasurementRow, [row for work_id, values in pairs for row in _measured(work_id, values)]


def _values(num: int, rng: np.random.Generator) -> list[list[float]]:
    """Return (accuracy, latency, MACs) of networks that trade one for the other, with noise."""
    size = rng.random(num)
    accuracy = 60.0 + 30.0 * np.sqrt(size) + rng.normal(0.0, 1.0, num)
    latency_ms = 1.0 + 10.0 * size * rng.uniform(0.8, 1.2, num)
    macs = np.round(1e8 * (0.1 + size) * rng.uniform(0.8, 1.2, num))
    found: list[list[float]] = np.column_stack([accuracy, latency_ms, macs]).tolist()
    return found


def _measured(work_id: int, values: list[float]) -> list[dict[str, Any]]:
    return [
        {
            "work_id": work_id,
            "quantity": quantity,
            "target": target,
            "value": value,
            "status": "finite",
            "unit": unit,
            "obtained": obtained,
            "spread": None,
            "versions": {},
        }
        for (quantity, target, unit, obtained), value in zip(COLUMNS, values, strict=True)
    ]
