"""A database of each released schema is upgraded with everything that was in it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from rows_0001 import ROWS
from sqlalchemy import column, delete, insert, table, text

from experiments.store.engine import Database
from experiments.store.migrate import MIGRATIONS
from experiments.store.store import Store
from search_spaces.errors import StorageError


def columns(name: str, row: dict[str, Any]) -> Any:
    """The table as a row has it, without types: the driver of PostgreSQL casts text to JSON by itself."""
    return table(name, *map(column, row))


def make_0001(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    database = Database(url)
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for name, rows in ROWS.items():
            for row in rows:
                connection.execute(insert(columns(name, row)).values(row))
            if not database.is_sqlite:
                highest = max(row["id"] for row in rows)
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {highest + 5})"))
        last = {**ROWS["studies"][0], "id": 9, "name": "the last"}
        studies = columns("studies", last)
        connection.execute(insert(studies).values(last))
        connection.execute(delete(studies).where(studies.c.id.in_([2, 9])))
    database.close()


def test_revision_0001_is_upgraded_with_all_that_is_in_it(url: str) -> None:
    make_0001(url)
    with pytest.raises(StorageError, match=r"has revision 0001, older than 0002 .* run nas storage upgrade"):
        Store.open(url)
    Store.open(url, upgrade=True).close()
    with Store.open(url) as store:
        summaries = {study.name: study for study in store.studies()}
        assert {name: study.state for name, study in summaries.items()} == {
            "ended": "done",
            "it's; 🦜": "interrupted",
            "killed": "interrupted",
        }
        ended = summaries["ended"]
        assert (ended.id, ended.seed, ended.num_evaluations, ended.num_repeated) == (1, 7, 2, 3)
        assert (ended.priority, ended.queued_at, ended.max_hours, ended.used_hours, ended.note) == (
            0,
            None,
            None,
            0,
            "",
        )
        study = store.load("ended")
        assert study.settings == {"training": {"epochs": 3}}
        assert list(study.done("evaluation")) == ["k1", "k2"]
        assert math.isnan(study.done("evaluation")["k1"]["loss"])
        assert study.attempts("evaluation") == {"k1": 3, "k2": 1, "k3": 1}
        [(first, accuracy), (second, failed)] = study.measurements()
        assert (first, accuracy.value, accuracy.versions) == ("k1", 91.5, {"torch": "2.13"})
        assert second == "k2"
        assert math.isnan(failed.value)
        assert study.architectures() == {"k1": '{"knobs":{"depth":2}}', "k2": '{"knobs":{"depth":3}}'}
        assert [artifact.name for artifact in study.artifacts()] == ["front.json"]
        assert store.events() == []


def test_an_upgraded_database_works_as_a_new_one(url: str) -> None:
    make_0001(url)
    with Store.open(url, upgrade=True) as store:
        new = store.queue.submit("new", {}, seed=0)
        # 9 was the id of a study that was deleted: a late runner of that one must not write here.
        assert new.id > 9
        assert store.queue.resume("killed") == "queued"
        names = []
        while (study := store.queue.claim("r")) is not None:
            study.begin("evaluation", "k1")
            study.finish("evaluation", "k1", {"again": True})
            names.append(study.name)
            study.release("done")
        assert names == ["new", "killed"]
        # What was finished before the upgrade stays as it was.
        assert "again" not in store.load("killed").done("evaluation")["k1"]
        store.delete("ended")
        with store._database.read() as session:
            left = [session.scalar(text(f"SELECT count(*) FROM {name}")) for name in ("architectures", "measurements")]
        assert left == [0, 0]
