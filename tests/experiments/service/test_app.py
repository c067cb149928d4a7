"""The API as a whole: what it answers, who may ask, and what attacks get."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from path_attacks import ATTACKS
from service_client import BEARER, TOKEN, Service, running

from experiments.service.access import make_access
from experiments.service.catalogue import made_id
from experiments.service.guard import Guard
from experiments.service.token import digest

NOWHERE = "0" * 16


def query(path: str, parameters: dict[str, Any]) -> str:
    return f"{path}?{urlencode(parameters)}"


def operations(service: Service) -> list[tuple[str, str]]:
    schema = service.get("/api/openapi.json")
    return [(method.upper(), path) for path, found in schema["paths"].items() for method in found]


def id_of(service: Service, name: str) -> int:
    [found] = service.store.studies(name=name)
    return found.id


def filled(path: str, service: Service) -> str:
    for name in ("key", "artifact_id"):
        path = path.replace(f"{{{name}}}", NOWHERE)
    return path.replace("{study_id}", str(service.study_id)).replace("{verb}", "pause")


def test_the_list_of_studies(service: Service) -> None:
    found = service.get("/api/studies")
    assert found["total"] == 1
    [line] = found["studies"]
    assert line["id"] == service.study_id
    assert line["name"] == "digits"
    assert line["state"] == "done"
    assert line["num_evaluations"] == line["asked_evaluations"] == 32
    assert line["targets"] == ["h100:bf16:b32", "orin:fp16:b1"]
    assert service.get(query("/api/studies", {"search": "IGIT"}))["total"] == 1
    assert service.get(query("/api/studies", {"search": "%"}))["total"] == 0
    assert service.get(query("/api/studies", {"offset": 1}))["studies"] == []


def test_studies_are_sorted_by_allowed_keys_alone(service: Service) -> None:
    for number in range(3):
        service.store.study(f"study {number}", {}, seed=number)
    names = [line["name"] for line in service.get("/api/studies?sort=name&order=asc")["studies"]]
    assert names == sorted(names)
    for sort in ("settings", "name; DROP TABLE studies", "__class__", ""):
        found = service.get(query("/api/studies", {"sort": sort}), 400)
        assert found["error"]["kind"] == "usage"
        assert "created_at" in found["error"]["message"]


def test_a_study_says_how_far_it_is_and_what_can_be_seen(service: Service) -> None:
    found = service.get(f"/api/studies/{service.study_id}")
    assert found["settings"]["name"] == "digits"
    assert {stage["name"] for stage in found["stages"] if stage["done"]} >= {"training", "search", "export"}
    assert {"overview", "explore", "fronts", "networks"} <= {panel["name"] for panel in found["panels"]}


def test_fronts_say_how_each_number_was_obtained(service: Service) -> None:
    fronts = service.get(f"/api/studies/{service.study_id}/fronts")["fronts"]
    assert [front["target"] for front in fronts] == ["h100:bf16:b32", "orin:fp16:b1"]
    for front in fronts:
        assert front["candidates"]
        assert {c["latency_ms"]["obtained"] for c in front["candidates"]} == {"analytic"}
        assert {c["accuracy"]["obtained"] for c in front["candidates"]} == {"measured"}
    [front] = service.get(f"/api/studies/{service.study_id}/fronts?target=orin:fp16:b1")["fronts"]
    assert front == fronts[1]
    assert "without target" in service.get(f"/api/studies/{service.study_id}/fronts?target=x", 404)["error"]["message"]


def test_the_table_holds_every_network_with_its_knobs(service: Service) -> None:
    table = service.get(f"/api/studies/{service.study_id}/table")
    assert table["num_evaluated"] == len(table["keys"]) == 16
    columns = {column["name"]: column for column in table["columns"]}
    assert columns["validation_accuracy"]["obtained"] == ["measured"]
    assert columns["latency_ms@orin:fp16:b1"]["obtained"] == ["analytic"]
    assert {"macs", "params", "activations"} <= set(columns)
    assert all(len(knob["index"]) == 16 for knob in table["knobs"])
    written = json.loads((service.out / "digits" / "report.json").read_text())
    assert written["table"] == table


def test_a_chosen_network_can_be_downloaded_whole(service: Service) -> None:
    table = service.get(f"/api/studies/{service.study_id}/table")
    key = table["keys"][table["chosen"][0]]
    found = service.get(f"/api/studies/{service.study_id}/networks/{key}")
    assert found["network"]["quantities"]
    assert {Path(file["name"]).name for file in found["artifacts"]} == {
        "model.safetensors", "architecture.json", "model.onnx", "README.md",
    }  # fmt: skip
    for file in found["artifacts"]:
        answer = service.get(f"/api/studies/{service.study_id}/artifacts/{file['id']}")
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_network_that_was_not_chosen_is_drawn_from_its_knobs(service: Service) -> None:
    table = service.get(f"/api/studies/{service.study_id}/table")
    row = next(row for row in range(16) if row not in table["chosen"])
    found = service.get(f"/api/studies/{service.study_id}/networks/{table['keys'][row]}")["network"]
    columns = {column["name"]: column["values"][row] for column in table["columns"]}
    assert found["costs"]["macs"] == columns["macs"]
    named = {(each["name"], each["target"]): each["quantity"]["value"] for each in found["quantities"]}
    assert named["validation_accuracy", ""] == columns["validation_accuracy"]
    assert named["latency_ms", "orin:fp16:b1"] == columns["latency_ms@orin:fp16:b1"]
    assert found["files"] == []


def test_a_study_without_results_is_shown_as_it_is(service: Service) -> None:
    service.store.study("empty", {"search": {"evaluations": 5}}, seed=0)
    found = service.get(f"/api/studies/{id_of(service, 'empty')}")
    assert found["state"] == "new"
    assert found["asked_evaluations"] == 5
    assert service.get(f"/api/studies/{id_of(service, 'empty')}/table")["keys"] == []
    assert service.get(f"/api/studies/{id_of(service, 'empty')}/fronts")["fronts"] == []
    assert service.get(f"/api/studies/{id_of(service, 'empty')}/artifacts")["artifacts"] == []


def test_a_study_in_the_middle_of_its_search_has_a_table(service: Service) -> None:
    (service.out / "digits" / "report.json").unlink()
    table = service.get(f"/api/studies/{service.study_id}/table")
    assert table["num_evaluated"] >= 16
    columns = [column["name"] for column in table["columns"]]
    assert columns[0] == "validation_accuracy"
    assert sorted(columns[1:]) == [
        "activations",
        "latency_ms@h100:bf16:b32",
        "latency_ms@orin:fp16:b1",
        "macs",
        "params",
    ]
    search = service.get(f"/api/studies/{service.study_id}/search")["search"]
    volumes = [point["hypervolume"] for point in search["runs"][0]["history"]]
    assert volumes == sorted(volumes)
    assert "seen so far" in search["normalisation"]


def test_two_studies_are_compared_by_their_settings(service: Service) -> None:
    settings = service.store.load("digits").settings
    service.store.study("other", {**settings, "name": "other", "seed": 7}, seed=7)
    found = service.get(query("/api/compare", {"first": service.study_id, "second": id_of(service, "other")}))
    assert {path: (one, two) for path, one, two in found["differences"]} == {
        "name": ("digits", "other"),
        "seed": ("0", "7"),
    }


def test_facts(service: Service) -> None:
    assert service.get("/api/health")["status"] == "ok"
    assert "h100" in {target["device"] for target in service.get("/api/targets")}
    assert "resnetrs101" in {network["name"] for network in service.get("/api/networks")}
    assert "fast" in service.get("/api/rules")


def test_scaling_rules_are_compared_on_a_published_network(service: Service) -> None:
    found = service.get("/api/scaling?network=efficientnet_b0&rule=fast&rule=efficientnet&factor=2&factor=4")
    assert [(row["rule"], row["factor_asked"]) for row in found["rows"]] == [
        ("fast", 2.0), ("fast", 4.0), ("efficientnet", 2.0), ("efficientnet", 4.0),
    ]  # fmt: skip
    assert found["obtained"] == "analytic"
    for query in ("network=nothing&rule=fast", "network=efficientnet_b0&rule=nothing", "network=efficientnet_b0"):
        assert service.get(f"/api/scaling?{query}", 400)["error"]["kind"] == "usage"


def test_deleting_needs_the_token(service: Service) -> None:
    path = f"/api/studies/{service.study_id}"
    assert service.client("DELETE", path).status == 401
    assert service.get("/api/studies")["total"] == 1
    assert service.client("DELETE", path, BEARER).status == 204
    assert service.get("/api/studies")["total"] == 0
    assert service.client("DELETE", path, BEARER).status == 404
    assert (service.out / "digits" / "report.json").exists()


def test_every_operation_that_is_no_get_is_refused_without_the_token(service: Service) -> None:
    """The matrix is made from the OpenAPI: an operation that is added later is in it."""
    found = operations(service)
    assert len(found) > 12
    for path in {path for _, path in found} | {"/", "/static/app.js", "/nothing"}:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
                answer = service.client(method, filled(path, service), headers)
                assert answer.status == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"


def test_an_open_server_answers_nothing_of_the_studies_without_the_token(service: Service) -> None:
    paths = [path for method, path in operations(service) if method == "GET"]
    with running(Guard(service.app, make_access("192.0.2.1", (), digest(TOKEN)))) as client:
        for path in [*paths, "/view/studies/{study_id}/panels/explore"]:
            assert client("GET", filled(path, service)).status == 401
        assert client("GET", "/api/studies", BEARER).status == 200


def test_another_host_and_a_foreign_origin_get_403(service: Service) -> None:
    for _, path in operations(service):
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            answer = service.client("GET", filled(path, service), {**BEARER, **headers})
            assert answer.status == 403


PLACES = ("/api/studies/{}", "/api/studies/STUDY/artifacts/{}", "/api/studies/STUDY/networks/{}", "/static/{}", "/{}")


def test_sixty_path_attacks_find_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.service import routes_studies

    opened: list[str] = []
    monkeypatch.setattr(routes_studies, "open_below", lambda root, name: opened.append(name))
    assert len(ATTACKS) >= 60
    for place in PLACES:
        for attack in ATTACKS:
            path = place.replace("STUDY", str(service.study_id)).format(attack)
            answer = service.client("GET", path)
            assert answer.status in (400, 404), path
            assert answer.data["error"]["kind"] in ("usage", "not_found")
    assert opened == []


def test_a_row_of_the_database_that_names_another_file_opens_none(service: Service, tmp_path: Path) -> None:
    """Whoever can write the database still reads no file outside the study's folder through the service."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (service.out / "digits" / "link").symlink_to(secret)
    names = [*ATTACKS, *map(unquote, ATTACKS), str(secret), f"../../../{secret.name}", "link"]
    with sqlite3.connect(service.out / "nas.db") as database:
        study = database.execute("SELECT id FROM studies").fetchone()[0]
        for number, name in enumerate(names):
            row = (study, f"attack {number}", name, "0" * 64, 1, 0.0)
            database.execute(
                "INSERT INTO artifacts (study_id, name, path, sha256, num_bytes, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
    database.close()
    for name in names:
        answer = service.client("GET", f"/api/studies/{service.study_id}/artifacts/{made_id('digits', name)}")
        assert answer.status == 400, name
        assert "no such file" in answer.data["error"]["message"]


def test_a_study_whose_name_is_a_path_has_no_folder(service: Service) -> None:
    (service.out.parent / "outside").mkdir()
    (service.out.parent / "outside" / "report.json").write_text('{"study": "secret"}')
    for name in ("../outside", "..", "/etc", "a/../../outside"):
        service.store.study(name, {}, seed=0)
        assert service.get(f"/api/studies/{id_of(service, name)}")["name"] == name
        assert service.get(f"/api/studies/{id_of(service, name)}/report")["study"]["name"] == name


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE studies; --", "100%", "%s", "😀" * 100, '"quoted"', "n" * 512], ids=range(6)
)
def test_names_are_stored_and_shown_verbatim(service: Service, name: str) -> None:
    service.store.study(name, {}, seed=0)
    names = {line["name"] for line in service.get("/api/studies")["studies"]}
    assert names == {"digits", name}
    assert service.get(f"/api/studies/{id_of(service, name)}")["name"] == name
    assert service.get(query("/api/studies", {"search": name}))["total"] == 1


def test_a_database_that_fails_is_503_with_one_line(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from search_spaces.errors import StorageError

    def broken(**_: Any) -> Any:
        raise StorageError("database nas.db: disk I/O error: check the storage and start again")

    monkeypatch.setattr(service.store, "studies", broken)
    found = service.get("/api/studies", 503)
    assert found["error"] == {
        "kind": "storage",
        "message": "database nas.db: disk I/O error: check the storage and start again",
    }


def test_a_defect_tells_nothing_of_the_inside(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(service.store, "studies", broken)
    answer = service.client("GET", "/api/studies")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def change(service: Service, method: str, path: str, content: Any = None, status: int = 200) -> Any:
    body = None if content is None else json.dumps(content).encode()
    answer = service.client(method, path, {**BEARER, "Content-Type": "application/json"}, body)
    assert answer.status == status, answer.text
    return answer.data if answer.content else None


def test_a_study_is_submitted_from_a_template_and_moved_by_the_four_verbs(service: Service) -> None:
    settings = service.store.load("digits").settings
    service.store.labels.save_template("small", settings, "a first try")
    assert service.get("/api/templates")[0]["name"] == "small"
    asked = {"name": "next", "template": "small", "seed": 5, "priority": 2, "tags": ["try"], "max_evaluations": 9}
    line = change(service, "POST", "/api/studies", asked, 201)
    assert (line["state"], line["seed"], line["priority"], line["tags"]) == ("queued", 5, 2, ["try"])
    assert [each["name"] for each in service.get("/api/queue")] == ["next"]
    path = f"/api/studies/{line['id']}"
    states = [change(service, "POST", f"{path}/{verb}")["state"] for verb in ("pause", "resume", "stop")]
    assert states == ["paused", "queued", "stopped"]
    refused = change(service, "POST", f"{path}/resume", status=409)
    assert refused["error"]["kind"] == "conflict"
    assert [event["event"] for event in service.get(f"{path}/log")] == ["submit", "pause", "resume", "stop"]
    again = change(service, "POST", "/api/studies", {"name": "again", "like": line["id"]}, 201)
    assert change(service, "POST", f"/api/studies/{again['id']}/cancel")["state"] == "cancelled"
    assert service.get("/api/studies?tag=try")["total"] == 1


def test_a_submission_brings_no_settings_of_its_own(service: Service) -> None:
    service.store.labels.save_template("small", service.store.load("digits").settings)
    for asked in (
        {"name": "x", "template": "small", "settings": {"plugins": ["evil.py"]}},
        {"name": "x", "template": "small", "plugins": ["evil.py"]},
        {"name": "../x", "template": "small"},
        {"name": "x", "template": "nothing"},
        {"name": "x"},
        {"name": "x", "template": "small", "like": 1},
        {"name": "x", "template": "small", "seed": -1},
        [],
        "x",
    ):
        assert change(service, "POST", "/api/studies", asked, 400)["error"]["kind"] == "usage"
    assert service.get("/api/studies")["total"] == 1
    assert change(service, "POST", "/api/studies", {"name": "x", "like": 999}, 404)["error"]["kind"] == "not_found"


def test_labels_are_changed_and_what_is_left_out_stays(service: Service) -> None:
    path = f"/api/studies/{service.study_id}"
    assert change(service, "PATCH", path, {"tags": ["a", "b"], "note": "<b>mine</b>"})["tags"] == ["a", "b"]
    line = change(service, "PATCH", path, {"tags": ["b", "c"]})
    assert (line["tags"], line["note"]) == (["b", "c"], "<b>mine</b>")
    assert change(service, "PATCH", path, {"state": "done"}, 400)["error"]["kind"] == "usage"


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"\x80\x04\x95", b"{", b"1e999", b'"' + b"x" * 900_000 + b'"'],
    ids=["deep list", "deep object", "no text", "pickle", "cut short", "infinity", "long"],
)
def test_a_hostile_body_is_refused(service: Service, body: bytes) -> None:
    for method, path in (("POST", "/api/studies"), ("PATCH", f"/api/studies/{service.study_id}")):
        answer = service.client(method, path, {**BEARER, "Content-Type": "application/json"}, body)
        assert answer.status == 400, answer.text
        assert len(answer.content) < 1000
