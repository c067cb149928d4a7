from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from experiments.store.store import Budget, Fenced, Halted, Store, Study
from search_spaces.errors import ConflictError, UsageError


def submit(store: Store, name: str, **given: object) -> Study:
    return store.queue.submit(name, {"x": 1}, seed=0, **given)  # type: ignore[arg-type]


def claimed(store: Store, runner: str = "r") -> Study:
    study = store.queue.claim(runner)
    assert study is not None
    return study


def state(store: Store, name: str) -> str:
    [found] = store.studies(name=name)
    return found.state


def test_the_highest_priority_runs_first_and_then_the_oldest(store: Store) -> None:
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5), ("e", -1)):
        submit(store, name, priority=priority)
    store.queue.change("c", priority=1)
    names = []
    while (study := store.queue.claim("r")) is not None:
        names.append(study.name)
        study.release("done")
    assert names == ["b", "d", "c", "a", "e"]
    assert store.queue.is_empty()


def test_a_claimed_study_is_not_claimed_again_until_its_runner_is_lost(
    store: Store, expire: Callable[[Study], None]
) -> None:
    submit(store, "a")
    first = claimed(store, "first")
    assert store.queue.claim("second") is None
    assert not store.queue.is_empty()
    expire(first)
    claimed(store, "second")
    with pytest.raises(Fenced, match="taken over by runner 'second'"):
        first.heartbeat()


def test_what_a_command_runs_itself_is_not_claimed(store: Store, expire: Callable[[Study], None]) -> None:
    study = store.study("a", {}, seed=0)
    study.take("a person's")
    expire(study)
    assert store.queue.claim("r") is None
    assert store.queue.is_empty()
    assert state(store, "a") == "interrupted"
    assert store.queue.resume("a") == "queued"
    assert claimed(store).name == "a"


def test_submitting_again_is_refused_and_other_settings_too(store: Store) -> None:
    submit(store, "a")
    with pytest.raises(ConflictError, match="study 'a' is queued"):
        submit(store, "a")
    with pytest.raises(ConflictError, match="other settings"):
        store.queue.submit("a", {"x": 2}, seed=0)


def test_pause_lets_the_running_work_finish_and_resume_goes_on(store: Store) -> None:
    submit(store, "a")
    study = claimed(store)

    def run() -> None:
        with study.held("r"):
            study.begin("evaluation", "k")
            assert store.queue.pause("a") == "pausing"
            assert store.queue.pause("a") == "pausing"
            study.finish("evaluation", "k", {})
            study.begin("evaluation", "l")

    with pytest.raises(Halted) as halt:
        run()
    assert halt.value.exit_code == 0
    assert "study 'a' is paused (as asked): nas study resume goes on" in str(halt.value)
    assert state(store, "a") == "paused"
    assert study.attempts("evaluation") == {"k": 1}
    assert store.queue.claim("r") is None
    assert store.queue.resume("a") == "queued"
    assert list(claimed(store).done("evaluation")) == ["k"]


def test_a_pause_can_be_withdrawn_and_a_stop_can_not(store: Store) -> None:
    submit(store, "a")
    study = claimed(store)
    assert store.queue.pause("a") == "pausing"
    assert store.queue.resume("a") == "running"
    study.begin("evaluation", "k")
    with pytest.raises(ConflictError, match="study 'a' is running: resume is for paused"):
        store.queue.resume("a")
    assert store.queue.stop("a") == "stopping"
    for verb in (store.queue.resume, store.queue.pause):
        with pytest.raises(ConflictError, match="study 'a' is stopping"):
            verb("a")
    with pytest.raises(Halted, match="is stopped"):
        study.begin("evaluation", "l")


def test_cancel_ends_at_once_what_runs(store: Store) -> None:
    submit(store, "a")
    study = claimed(store)
    study.begin("evaluation", "k")
    study.finish("evaluation", "k", {})
    study.begin("evaluation", "l")
    assert store.queue.cancel("a") == "cancelled"
    with pytest.raises(Fenced, match="study 'a' was cancelled"):
        study.finish("evaluation", "l", {})
    assert list(study.done("evaluation")) == ["k"]
    assert state(store, "a") == "cancelled"


def test_cancel_interrupts_a_body_that_waits(url: str) -> None:
    with Store.open(url, lease_s=0.4) as store:
        submit(store, "a")
        study = claimed(store)
        begun = time.monotonic()
        threading.Timer(0.2, store.queue.cancel, ["a"]).start()
        with pytest.raises(Fenced, match="was cancelled"), study.held("r"):
            time.sleep(60)
        assert time.monotonic() - begun < 30
        assert state(store, "a") == "cancelled"


@pytest.mark.parametrize(("verb", "then"), [("pause", "paused"), ("stop", "stopped")])
def test_verbs_on_a_study_whose_runner_died_act_at_once(
    store: Store, expire: Callable[[Study], None], verb: str, then: str
) -> None:
    submit(store, "a")
    study = claimed(store)
    expire(study)
    assert getattr(store.queue, verb)("a") == then
    # It may only sleep: what it writes when it wakes is refused.
    with pytest.raises(Fenced):
        study.begin("evaluation", "k")


@pytest.mark.parametrize(("verb", "then"), [("pause", "paused"), ("stop", "stopped")])
def test_a_wish_outlives_the_runner_that_it_was_for(
    store: Store, expire: Callable[[Study], None], verb: str, then: str
) -> None:
    submit(store, "a")
    study = claimed(store)
    getattr(store.queue, verb)("a")
    expire(study)
    assert state(store, "a") == study.state == then
    assert store.queue.claim("other") is None


@pytest.mark.parametrize("verb", ["", "pause", "stop"])
def test_an_interrupted_runner_leaves_what_was_asked(store: Store, verb: str) -> None:
    submit(store, "a")
    study = claimed(store)
    # Where the tests run in the background of a shell, SIGINT is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def run() -> None:
        with study.held("r"):
            if verb:
                getattr(store.queue, verb)("a")
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)

    try:
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        signal.signal(signal.SIGINT, before)
    assert state(store, "a") == {"": "queued", "pause": "paused", "stop": "stopped"}[verb]


def test_a_failed_study_names_the_reason_and_can_be_tried_again(store: Store) -> None:
    submit(store, "a")
    study = claimed(store)
    with pytest.raises(UsageError), study.held("r"):
        raise UsageError("the data\nare gone")
    [found] = store.studies(name="a")
    assert (found.state, found.reason, found.runner, found.queued_at) == ("failed", "the data are gone", "", None)
    assert store.queue.resume("a") == "queued"
    assert store.studies(name="a")[0].reason == ""


def test_a_budget_of_evaluations_is_exact_over_runners(store: Store, expire: Callable[[Study], None]) -> None:
    submit(store, "a", budget=Budget(max_evaluations=2))
    study = claimed(store, "first")
    study.begin("evaluation", "k")
    study.finish("evaluation", "k", {})
    study.finish("evaluation", "k", {})
    study.begin("evaluation", "l")
    expire(study)
    study = claimed(store, "second")

    def run() -> None:
        with study.held("second"):
            study.begin("evaluation", "l")
            study.finish("evaluation", "l", {})
            study.begin("training", "any")
            study.begin("evaluation", "m")

    with pytest.raises(Halted, match="its budget of 2 evaluations is spent"):
        run()
    [found] = store.studies(name="a")
    assert (found.state, found.num_evaluations, found.num_repeated) == ("stopped", 2, 1)
    assert found.reason == "its budget of 2 evaluations is spent"


def test_a_budget_of_hours_counts_what_runners_held(store: Store, expire: Callable[[Study], None]) -> None:
    submit(store, "a", budget=Budget(max_hours=0.25))
    study = claimed(store)
    study.begin("training", "k")
    # A thousand seconds without a heartbeat.
    expire(study)
    with pytest.raises(Halted, match=r"its budget of 0.25 hours is spent"):
        study.begin("training", "k")


def test_a_budget_can_be_raised(store: Store) -> None:
    submit(store, "a", budget=Budget(max_evaluations=1))
    study = claimed(store)
    study.begin("evaluation", "k")
    study.finish("evaluation", "k", {})
    store.queue.change("a", budget=Budget(max_evaluations=2))
    assert study.begin("evaluation", "l") == 1


@pytest.mark.parametrize("given", [{"max_evaluations": 0}, {"max_hours": -1.0}, {"max_hours": float("nan")}])
def test_budgets_are_checked(given: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="the budget max_"):
        Budget(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "cancel"])
def test_what_has_ended_is_not_moved(store: Store, verb: str) -> None:
    submit(store, "a")
    claimed(store).release("done")
    with pytest.raises(ConflictError, match=f"study 'a' is done: {verb} is for"):
        getattr(store.queue, verb)("a")
    with pytest.raises(UsageError, match="unknown study 'b'"):
        getattr(store.queue, verb)("b")


def test_events_tell_the_story_of_a_study_and_outlive_it(store: Store) -> None:
    submit(store, "a")
    submit(store, "b")
    study = claimed(store, "r1")
    store.queue.pause("a")
    with pytest.raises(Halted), study.held("r1"):
        study.begin("evaluation", "k")
    store.queue.resume("a")
    store.queue.cancel("a")
    store.delete("a")
    told = [(event.event, event.detail) for event in store.events("a")]
    assert told == [
        ("submit", ""),
        ("running", "r1"),
        ("pause", ""),
        ("paused", "as asked"),
        ("resume", ""),
        ("cancel", ""),
        ("delete", ""),
    ]
    last = store.events("a")[2].id
    assert [event.event for event in store.events("a", after=last, limit=2)] == ["paused", "resume"]
    assert [event.study for event in store.events()].count("b") == 1
