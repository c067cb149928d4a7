"""Any sequence of takings, writings, expiries and deletions, against a model that fits on a page."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import update
from store_backends import BACKENDS, new_database

from experiments.store.models import StudyRow
from experiments.store.store import Fenced, Store, Study
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
        self.model.fence += 1
        self.model.fences[runner] = self.model.fence
        self.model.holder, self.model.expired, self.model.state = runner, False, "running"

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
            self.model.holder, self.model.expired, self.model.state = None, False, state

    @rule(runner=RUNNERS, kind=KINDS, key=KEYS)
    def begin(self, runner: str, kind: str, key: str) -> None:
        if not self.refused(runner, lambda: self.handles[runner].begin(kind, key)):
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

    @invariant()
    def equals_the_model(self) -> None:
        study = self.store.load(self.name)
        assert study.state == ("interrupted" if self.model.expired else self.model.state)
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
