from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from experiments.store.models import StudyRow
from experiments.store.store import Fenced, Store, Study
from predictors.measurement import Measurement
from search_spaces.architecture import Architecture
from search_spaces.errors import ConflictError, StorageError, UsageError

NETWORK = Architecture("toy", '{"classes":10}', (("depth", 2), ("width", 8)))
LATENCY = Measurement("latency_ms", 1.25, "ms", "measured", spread=0.1, target="cpu", versions={"torch": "2.13"})


@pytest.fixture
def study(store: Store) -> Study:
    return store.study("a", {}, seed=0)


def test_one_runner_at_a_time(store: Store, study: Study) -> None:
    study.take("first")
    with pytest.raises(ConflictError) as error:
        store.load("a").take("second")
    message = str(error.value)
    assert message.startswith("study 'a' is held by runner 'first' on host ")
    assert "heartbeat 0 s ago: stop that runner, or wait until it ends" in message
    assert not isinstance(error.value, Fenced)
    study.heartbeat()


def test_an_expired_runner_is_taken_over_and_fenced_out(
    store: Store, study: Study, expire: Callable[[Study], None]
) -> None:
    study.take("late")
    study.begin("evaluation", "k")
    expire(study)
    other = store.load("a")
    assert other.state == "interrupted"
    other.take("next")
    writes: list[Callable[[], object]] = [
        study.heartbeat,
        lambda: study.begin("evaluation", "k"),
        lambda: study.finish("evaluation", "k", {"late": True}, [LATENCY], NETWORK),
        lambda: study.add_artifact("file", Path(__file__)),
        lambda: study.release("failed"),
    ]
    for write in writes:
        with pytest.raises(Fenced, match="study 'a' was taken over by runner 'next' on host"):
            write()
    assert other.state == "running"
    assert other.attempts("evaluation") == {"k": 1}
    assert (other.done("evaluation"), other.measurements(), other.artifacts()) == ({}, [], [])


def test_an_expired_runner_that_nobody_followed_goes_on(study: Study, expire: Callable[[Study], None]) -> None:
    study.take("r")
    expire(study)
    study.begin("evaluation", "k")
    assert study.state == "running"


def test_a_lease_is_as_long_as_asked(url: str) -> None:
    with Store.open(url, lease_s=0.0) as store:
        store.study("a", {}, seed=0).take("first")
        store.load("a").take("second")
        assert store.load("a").state == "interrupted"


@pytest.mark.parametrize("state", ["done", "failed", "interrupted"])
def test_a_released_study_is_free(store: Store, study: Study, state: str) -> None:
    study.take("first")
    study.release(state)  # type: ignore[arg-type]
    assert study.state == state
    with pytest.raises(ConflictError, match="is not taken by this runner: take it first"):
        study.begin("evaluation", "k")
    store.load("a").take("second")


def test_attempts_count_what_was_begun_again(study: Study) -> None:
    study.take("r")
    assert [study.begin("evaluation", key) for key in ("b", "a", "b", "b")] == [1, 1, 2, 3]
    assert study.begin("training", "a") == 1
    assert list(study.attempts("evaluation").items()) == [("b", 3), ("a", 1)]
    assert study.attempts("export") == {}


def test_work_comes_back_in_order_of_finishing(store: Store, study: Study) -> None:
    study.take("r")
    for key in "abc":
        study.begin("evaluation", key)
    for key in "cab":
        study.finish("evaluation", key, {"key": key})
    assert list(store.load("a").done("evaluation").items()) == [(key, {"key": key}) for key in "cab"]


def test_finishing_again_changes_nothing(study: Study) -> None:
    study.take("r")
    study.begin("evaluation", "k")
    study.finish("evaluation", "k", {"first": True}, [LATENCY], NETWORK)
    study.finish("evaluation", "k", {"first": False}, [LATENCY, LATENCY], NETWORK)
    assert study.done("evaluation") == {"k": {"first": True}}
    assert study.measurements() == [(NETWORK.key, LATENCY)]


def test_what_was_not_begun_is_not_finished(study: Study) -> None:
    study.take("r")
    with pytest.raises(ConflictError, match="evaluation 'k' of study 'a' was not begun: begin it first"):
        study.finish("evaluation", "k", {})


def test_finish_stores_all_or_nothing(study: Study) -> None:
    study.take("r")
    study.begin("evaluation", "k")
    guess = Measurement("latency_ms", 1.0, "ms", "guessed")  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="ck_measurements_obtained"):
        study.finish("evaluation", "k", {}, [LATENCY, guess], NETWORK)
    assert (study.done("evaluation"), study.measurements(), study.architectures()) == ({}, [], {})
    with pytest.raises(UsageError, match=r"payload.a is of type set"):
        study.finish("evaluation", "k", {"a": set()})


def test_an_architecture_is_stored_once(study: Study) -> None:
    study.take("r")
    for kind in ("evaluation", "measurement"):
        study.begin(kind, NETWORK.key)
        study.finish(kind, NETWORK.key, {}, [LATENCY], NETWORK)
    assert study.architectures() == {NETWORK.key: NETWORK.to_json()}
    assert [key for key, _ in study.measurements()] == [NETWORK.key] * 2


def test_keys_and_payloads_are_stored_verbatim(study: Study) -> None:
    study.take("r")
    key = "it's; DROP TABLE work;-- %s 🦜"
    payload = {"nul": "\x00", "lone": "\ud800", "quote": "'\"", "big": 2**70, "small": 5e-324, "nan": float("nan")}
    study.begin("evaluation", key)
    study.finish("evaluation", key, payload)
    assert repr(study.done("evaluation")) == repr({key: payload})


def test_held_releases_as_done(store: Store, study: Study) -> None:
    with study.held("r") as held:
        assert held is study
        assert study.state == "running"
        with pytest.raises(ConflictError, match="is held by runner 'r'"):
            store.load("a").take("other")
    assert study.state == "done"


@pytest.mark.parametrize(
    ("error", "state"), [(ValueError, "failed"), (KeyboardInterrupt, "interrupted"), (SystemExit, "interrupted")]
)
def test_held_releases_by_the_error(study: Study, error: type[BaseException], state: str) -> None:
    with pytest.raises(error), study.held("r"):
        raise error
    assert study.state == state


def test_held_renews_the_lease(url: str) -> None:
    def heartbeat_at() -> float:
        with store._database.read() as session:
            return session.scalars(select(StudyRow.heartbeat_at)).one() or 0.0

    with Store.open(url, lease_s=0.8) as store, store.study("a", {}, seed=0).held("r"):
        first = heartbeat_at()
        deadline = time.monotonic() + 60
        while (renewed := heartbeat_at()) == first and time.monotonic() < deadline:
            time.sleep(0.05)
    assert renewed > first > 0


def test_held_leaves_a_lost_study_to_its_new_runner(
    store: Store, study: Study, expire: Callable[[Study], None]
) -> None:
    other = store.load("a")

    def lose() -> None:
        with study.held("late"):
            expire(study)
            other.take("next")
            study.begin("evaluation", "k")

    with pytest.raises(Fenced):
        lose()
    assert other.state == "running"


def test_held_keeps_the_bodys_error_when_the_study_is_lost(
    store: Store, study: Study, expire: Callable[[Study], None], caplog: pytest.LogCaptureFixture
) -> None:
    def lose_and_fail() -> None:
        with study.held("late"):
            expire(study)
            store.load("a").take("next")
            raise ZeroDivisionError

    with caplog.at_level(logging.WARNING), pytest.raises(ZeroDivisionError):
        lose_and_fail()
    assert "was taken over by runner 'next'" in caplog.text
    assert study.state == "running"


def test_artifacts(study: Study, tmp_path: Path) -> None:
    study.take("r")
    file = tmp_path / "models" / "best.json"
    file.parent.mkdir()
    file.write_text("{}")
    study.add_artifact("model", file, root=tmp_path)
    (found,) = study.artifacts()
    assert (found.name, found.path, found.num_bytes) == ("model", "models/best.json", 2)
    assert found.sha256 == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    file.write_text("[1]")
    study.add_artifact("model", file, root=tmp_path)
    study.add_artifact("again", file, root=tmp_path / "models")
    assert [(row.name, row.path, row.num_bytes) for row in study.artifacts()] == [
        ("again", "best.json", 3),
        ("model", "models/best.json", 3),
    ]


def test_the_current_folder_is_the_root_of_artifacts(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("front.json").write_text("[]")
    study.take("r")
    study.add_artifact("front", Path("front.json"))
    assert [row.path for row in study.artifacts()] == ["front.json"]


def test_a_missing_artifact_is_named(study: Study, tmp_path: Path) -> None:
    study.take("r")
    with pytest.raises(StorageError, match=r"artifact 'front': .*front.json can't be read \(No such file"):
        study.add_artifact("front", tmp_path / "front.json")
    assert study.artifacts() == []
