"""A study of very many evaluations, made by the database itself: to measure reading, at little cost of writing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, String, cast, insert, literal, select, update

from experiments.store.models import ArchitectureRow, MeasurementRow, StudyRow, WorkRow
from experiments.store.store import Store

COSTS = {"params": 10**6, "activations": 10**6, "peak_memory_bytes": 10**7}


def make_rows(store: Store, name: str, num: int, noise: float = 1.0) -> None:
    """Make a finished study of ``num`` evaluations with an architecture and three measurements each.

    The database must be empty: rows get ids from 1. The networks trade accuracy for latency and MACs, with a noise
    that is a function of their number; with ``noise`` 0 all of them are on the front.
    """
    study = store.study(name, {"made": True}, seed=0)
    with store._database.write() as session:
        for table, values in _tables(study.id, noise):
            session.execute(insert(table).from_select(list(values), _select(num, values)))
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(num_evaluations=num, state="done"))


# The columns of the numbers 1 to num, which ``_select`` gives.
_FROM_ONE = select(literal(1, BigInteger()).label("i")).cte("numbers", recursive=True)


def _select(num: int, values: dict[str, Any]) -> Any:
    numbers = _FROM_ONE.union_all(select(_FROM_ONE.c.i + 1).where(_FROM_ONE.c.i < num))
    return select(*(make(numbers.c.i).label(name) for name, make in values.items()))


def _tables(study_id: int, noise: float) -> list[tuple[Any, dict[str, Any]]]:
    def same(value: Any, kind: Any = None) -> Any:
        return lambda _: literal(value, kind)

    def number(i: Any) -> Any:
        return i

    def key(i: Any) -> Any:
        return cast(i, String(64))

    architecture = {"id": number, "study_id": same(study_id), "key": key, "space": same("made")}
    work = {
        "id": number,
        "study_id": same(study_id),
        "kind": same("evaluation"),
        "key": key,
        "attempts": same(1),
        "sequence": number,
        "architecture_id": number,
        "payload": same({"num_images": 1000}, JSON()),
        "begun_at": same(0.0),
        "finished_at": same(1.0),
    }
    measurements = [
        {
            "work_id": number,
            "quantity": same(quantity),
            "target": same(target),
            "value": value,
            "status": same("finite"),
            "unit": same(unit),
            "obtained": same(obtained),
            "versions": same({}, JSON()),
        }
        for quantity, target, unit, obtained, value in (
            ("validation_accuracy", "", "%", "measured", lambda i: 60.0 + 20.0 * _size(i) + 10.0 * noise * _noise(i)),
            ("latency_ms", "made", "ms", "predicted", lambda i: (1.0 + 10.0 * _size(i)) * (2.0 - noise * _noise(i))),
            ("macs", "", "count", "analytic", lambda i: 1e7 + 1e8 * _size(i)),
        )
    ]
    content = {"content": same('{"knobs":{"depth":2,"width":8},"settings":{},"space":"made"}')}
    return [
        (ArchitectureRow, architecture | content),
        (WorkRow, work),
        *((MeasurementRow, values) for values in measurements),
    ]


def _size(i: Any) -> Any:
    """Return numbers in 0..1 that look drawn by chance."""
    return cast((i * 7919) % 100_003, Double()) / 100_003.0


def _noise(i: Any) -> Any:
    return cast((i * 104_729) % 10_007, Double()) / 10_007.0
