"""Any sequence of takings, writings, expiries, verbs of the queue and deletions, against a model of two pages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from postgres import BACKENDS, new_database
from sqlalchemy import update

from experiments.store.models import StudyRow
from experiments.store.store import Fenced, Halted, Store, Study
from predictors.measurement import Measurement
from search_spaces.errors import ConflictError

RUNNERS = st.sampled_from(["ann", "bob"])
KINDS = st.sampled_from(["evaluation", "training"])
KEYS = st.sampled_from(["k1", "k2", "k3"])
PAYLOADS = st.dictionaries(
    st.text(max_size=5), st.floats() | st.text(max_size=5) | st.none() | st.integers(), max_size=3
)
VALUES = st.lists(st.floats(), max_size=2)


@dataclass
class Model:
    state: str = "new"
    holder: str | None = None
    expired: bool = False
    fence: int = 0
    fences: dict[str, int | None] = field(default_factory=dict)
    attempts: dict[tuple[str, str], int] = field(default_factory=dict)
    finished: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    queued: bool = False
    wish: str | None = None

    @property
    def live(self) -> bool:
        return self.state == "running" and not self.free

    @property
    def shown(self) -> str:
        if self.state != "running":
            return self.state
        if self.wish:
            return {"pause": ("pausing", "paused"), "stop": ("stopping", "stopped")}[self.wish][not self.live]
        return "running" if self.live else "interrupted"

    def taken(self, runner: str) -> None:
        self.fence += 1
        self.fences[runner] = self.fence
        self.holder, self.expired, self.state, self.wish = runner, False, "running", None

    def moved(self, state: str, queued: bool) -> None:
        self.fence += 1
        self.holder, self.expired, self.state, self.wish, self.queued = None, False, state, None, queued

    @property
    def free(self) -> bool:
        return self.holder is None or self.expired

    def refusal(self, runner: str) -> type[ConflictError] | None:
        """What a write of this runner ends in."""
        if self.fences.get(runner) is None:
            return ConflictError
        return Fenced if self.fences[runner] != self.fence else None


class StoreMachine(RuleBasedStateMachine):
    store: ClassVar[Store]

    def __init__(self) -> None:
        super().__init__()
        self.name = uuid.uuid4().hex
        self.make()

    def make(self) -> None:
        self.model = Model()
        self.handles: dict[str, Study] = {
            runner: self.store.study(self.name, {"x": 1}, seed=0) for runner in ("ann", "bob")
        }

    def refused(self, runner: str, write: Any) -> bool:
        """Return whether ``write`` is refused, in the way that the model says."""
        refusal = self.model.refusal(runner)
        if refusal is None:
            return False
        with pytest.raises(refusal) as error:
            write()
        assert type(error.value) is refusal
        return True

    @rule(runner=RUNNERS)
    def take(self, runner: str) -> None:
        if not self.model.free:
            with pytest.raises(ConflictError, match="is held by runner"):
                self.handles[runner].take(runner)
            return
        self.handles[runner].take(runner)
        self.model.taken(runner)

    @rule()
    def submit(self) -> None:
        if self.model.state != "new":
            with pytest.raises(ConflictError, match="is "):
                self.store.queue.submit(self.name, {"x": 1}, seed=0)
            return
        self.store.queue.submit(self.name, {"x": 1}, seed=0)
        self.model.state, self.model.queued = "queued", True

    @rule(runner=RUNNERS)
    def claim(self, runner: str) -> None:
        waits = self.model.state == "queued"
        lost = self.model.state == "running" and self.model.expired and self.model.wish is None
        study = self.store.queue.claim(runner)
        assert (study is not None) == (self.model.queued and (waits or lost))
        if study is not None:
            self.handles[runner] = study
            self.model.taken(runner)

    @rule(verb=st.sampled_from(["pause", "stop", "resume", "cancel"]))
    def verb(self, verb: str) -> None:
        model, call = self.model, getattr(self.store.queue, verb)
        allowed = {
            "pause": model.state == "queued" or (model.state == "running" and model.wish != "stop"),
            "stop": model.state in ("queued", "running", "paused", "interrupted"),
            "resume": model.state in ("paused", "interrupted", "failed")
            or (model.state == "running" and model.wish != "stop" and (not model.live or model.wish == "pause")),
            "cancel": model.state in ("new", "queued", "running", "paused", "interrupted"),
        }[verb]
        if not allowed:
            with pytest.raises(ConflictError, match=f"{verb} is for"):
                call(self.name)
            return
        state = call(self.name)
        if model.live and verb != "cancel":
            model.wish = None if verb == "resume" else verb
        else:
            then = {"pause": "paused", "stop": "stopped", "resume": "queued", "cancel": "cancelled"}[verb]
            model.moved(then, {"pause": model.queued, "resume": True}.get(verb, False))
        assert state == model.shown

    @rule()
    def expire(self) -> None:
        with self.store._database.write() as session:
            mine = update(StudyRow).where(StudyRow.name == self.name)
            session.execute(mine.values(heartbeat_at=StudyRow.heartbeat_at - 1000))
        self.model.expired = self.model.holder is not None

    @rule(runner=RUNNERS)
    def heartbeat(self, runner: str) -> None:
        if not self.refused(runner, self.handles[runner].heartbeat):
            self.handles[runner].heartbeat()
            self.model.expired = False

    @rule(runner=RUNNERS, state=st.sampled_from(["done", "failed", "interrupted"]))
    def release(self, runner: str, state: Literal["done", "failed", "interrupted"]) -> None:
        if not self.refused(runner, lambda: self.handles[runner].release(state)):
            self.handles[runner].release(state)
            self.model.fences[runner] = None
            model = self.model
            wished = {"pause": "paused", "stop": "stopped", None: "queued" if model.queued else "interrupted"}
            model.state = wished[model.wish] if state == "interrupted" else state
            model.holder, model.expired, model.wish = None, False, None
            model.queued = model.queued and state == "interrupted"

    @rule(runner=RUNNERS, kind=KINDS, key=KEYS)
    def begin(self, runner: str, kind: str, key: str) -> None:
        if self.refused(runner, lambda: self.handles[runner].begin(kind, key)):
            return
        if self.model.wish:
            with pytest.raises(Halted):
                self.handles[runner].begin(kind, key)
        else:
            attempts = self.model.attempts.get((kind, key), 0) + 1
            assert self.handles[runner].begin(kind, key) == attempts
            self.model.attempts[kind, key] = attempts
            self.model.expired = False

    @rule(runner=RUNNERS, kind=KINDS, key=KEYS, payload=PAYLOADS, values=VALUES)
    def finish(self, runner: str, kind: str, key: str, payload: dict[str, Any], values: list[float]) -> None:
        measurements = [Measurement("loss", value, "nat", "measured") for value in values]

        def write() -> None:
            self.handles[runner].finish(kind, key, payload, measurements)

        if self.refused(runner, write):
            return
        if (kind, key) not in self.model.attempts:
            with pytest.raises(ConflictError, match="was not begun"):
                write()
            return
        write()
        self.model.expired = False
        if (kind, key) not in self.model.finished:
            self.model.finished[kind, key] = payload
            self.model.values += [value if abs(value) < float("inf") else float("nan") for value in values]

    @rule()
    def delete(self) -> None:
        if not self.model.free:
            with pytest.raises(ConflictError, match="is held by runner"):
                self.store.delete(self.name)
            return
        self.store.delete(self.name)
        for runner, study in self.handles.items():
            with pytest.raises(Fenced if self.model.fences.get(runner) else ConflictError):
                study.heartbeat()
        self.make()

    def teardown(self) -> None:
        # Or the next example would claim it.
        if self.model.state in ("new", "queued", "running", "paused", "interrupted"):
            self.store.queue.cancel(self.name)

    @invariant()
    def equals_the_model(self) -> None:
        study = self.store.load(self.name)
        assert study.state == self.model.shown
        [summary] = self.store.studies(name=self.name)
        assert summary.state == self.model.shown
        assert summary.num_evaluations == sum(kind == "evaluation" for kind, _ in self.model.finished)
        assert summary.num_repeated == sum(self.model.attempts.values()) - len(self.model.attempts)
        for kind in ("evaluation", "training"):
            done = {key: payload for (of, key), payload in self.model.finished.items() if of == kind}
            attempts = {key: number for (of, key), number in self.model.attempts.items() if of == kind}
            assert repr(study.done(kind)) == repr(done)
            assert list(study.attempts(kind).items()) == list(attempts.items())
        assert repr([value.value for _, value in study.measurements()]) == repr(self.model.values)


@pytest.fixture(scope="module", params=BACKENDS)
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"{tmp_path_factory.mktemp('machine')}/studies.db"
    else:
        url = new_database(request.getfixturevalue("postgres_server"))
    with Store.open(url) as store:
        yield store


@pytest.mark.parametrize(
    ("num_examples", "num_steps"), [(25, 20), pytest.param(200, 50, marks=pytest.mark.slow)], ids=str
)
def test_the_store_behaves_as_its_model(shared_store: Store, num_examples: int, num_steps: int) -> None:
    class Machine(StoreMachine):
        store = shared_store

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=num_examples,
            stateful_step_count=num_steps,
            deadline=None,
            database=None,
            suppress_health_check=checks,
        ),
    )
    assert shared_store.studies()
