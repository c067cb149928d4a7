"""The client against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from service_client import TOKEN, Service

from experiments.client import Client
from search_spaces.errors import ConflictError, StorageError, UsageError


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.base, TOKEN) as found:
        yield found


def test_it_reads_what_the_report_holds(client: Client, service: Service) -> None:
    [study] = client.studies()
    assert (study.name, study.state) == ("digits", "done")
    report = study.report()
    assert tuple(study.fronts()) == report.fronts
    assert study.table() == report.table
    assert study.search() == report.search
    key = report.networks[0].key
    assert study.network(key) == report.networks[0]


def test_files_are_downloaded_whole_or_not_at_all(client: Client, service: Service, tmp_path: Path) -> None:
    study = client.study("digits")
    [file] = [each for each in study.artifacts() if each["name"] == "front.csv"]
    path = study.download(file, tmp_path / "front.csv")
    assert path.read_bytes() == (service.out / "digits" / "front.csv").read_bytes()
    with pytest.raises(UsageError, match="no artifact"):
        study.download({**file, "id": "0" * 16}, tmp_path / "nothing")
    assert [each.name for each in tmp_path.glob("*ing*")] == []


def test_the_verbs_are_those_of_the_command(client: Client) -> None:
    study = client.submit("next", like=client.study("digits"), seed=4, tags=["try"])
    assert study.line["seed"] == 4
    assert [study.pause(), study.resume(), study.stop()] == ["paused", "queued", "stopped"]
    with pytest.raises(ConflictError, match="resume is for"):
        study.resume()
    assert study.change(note="mine").line["note"] == "mine"
    assert [each.name for each in client.studies(tag="try")] == ["next"]
    study.delete()
    with pytest.raises(UsageError, match="unknown study 'next'"):
        client.study("next")


def test_without_the_token_nothing_is_changed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAS_TOKEN", raising=False)
    with Client(service.base) as client, pytest.raises(UsageError, match="Authorization: Bearer"):
        client.study("digits").delete()
    monkeypatch.setenv("NAS_TOKEN", TOKEN)
    with Client(service.base) as client:
        client.study("digits").delete()


def test_events_tell_of_every_study_and_of_changes(client: Client, service: Service) -> None:
    events = client.events()
    kind, content = next(events)
    assert (kind, content["name"]) == ("study", "digits")
    assert next(events) == ("all", {"ids": [service.study_id]})
    service.store.labels.note("digits", "changed")
    kind, content = next(events)
    assert (kind, content["note"]) == ("study", "changed")
    service.store.delete("digits")
    assert next(events) == ("deleted", {"id": service.study_id})
    events.close()


def test_facts(client: Client) -> None:
    assert "h100" in {target["device"] for target in client.targets()}
    assert "resnetrs101" in {network["name"] for network in client.networks()}
    rows = client.scale("efficientnet_b0", ["fast"], [2.0])
    assert rows[0].factor_achieved == pytest.approx(2, rel=0.1)


def test_a_server_that_is_not_there_is_said_in_a_line() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(StorageError, match="nas serve runs"):
        client.studies()
