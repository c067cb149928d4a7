from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.store.store import Store, Study
from search_spaces.errors import ConflictError, UsageError

HOSTILE = [
    "it's",
    'a "quoted" one',
    "100 %s %(x)s %",
    "x'; DROP TABLE studies;--",
    "../../etc/passwd",
    "C:\\runs\\a",
    "<script>alert(1)</script>",
    "🦜🏴‍☠️ ünïcödé 研究",
    "a" * 512,
    "?:name :a $1",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_names_are_stored_verbatim(store: Store, name: str) -> None:
    store.study("other", {}, seed=0)
    store.study(name, {name: name}, seed=1)
    assert store.load(name).settings == {name: name}
    assert [summary.name for summary in store.studies()] == ["other", name]
    store.delete(name)
    assert [summary.name for summary in store.studies()] == ["other"]


@pytest.mark.parametrize("name", ["", "a" * 513, "a\nb", "nul\x00", "\ud800", " a", "a\u2003", "\x1b[31m"])
def test_unfit_names_are_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError, match="allowed: 1 to 512 characters, no control characters"):
        store.study(name, {}, seed=0)
    for call in (store.load, store.delete):
        with pytest.raises(UsageError, match="unknown study"):
            call(name)
    assert store.studies() == []


@given(name=st.text(max_size=30))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_is_stored_verbatim_or_refused(store: Store, name: str) -> None:
    try:
        store.study(name, {}, seed=0)
    except UsageError:
        return
    assert store.load(name).name == name


def test_equal_settings_load_the_study(store: Store) -> None:
    given = {"search": {"generations": 20, "bounds": [1, (2.5, None)]}, "limit": float("inf"), "skip": float("nan")}
    first, second = store.study("a", given, seed=1), store.study("a", given, seed=1)
    assert first.id == second.id
    assert repr(second.settings) == repr({**given, "search": {"generations": 20, "bounds": [1, [2.5, None]]}})


def test_other_settings_conflict_and_name_the_paths(store: Store) -> None:
    store.study("a b", {"search": {"generations": 20, "size": 8}, "seed": 7}, seed=1)
    with pytest.raises(ConflictError) as error:
        store.study("a b", {"search": {"generations": 30, "size": 8}, "seed": 7, "new": True}, seed=2)
    assert str(error.value) == (
        "study 'a b' has other settings (seed: stored 1, given 2; new: stored nothing, given True; "
        "search.generations: stored 20, given 30): "
        "give another name, or run nas study delete 'a b' to begin anew"
    )
    assert error.value.exit_code == 3
    assert store.load("a b").settings["search"]["generations"] == 20


def test_settings_are_compared_after_they_are_completed_and_stay_as_stored(store: Store) -> None:
    def complete(found: Mapping[str, Any]) -> dict[str, Any]:
        return {"new": 1, **found}

    first = store.study("a", {"x": 1}, seed=0)
    assert store.study("a", {"x": 1, "new": 1}, seed=0, complete=complete).id == first.id
    assert store.load("a").settings == {"x": 1}
    with pytest.raises(ConflictError, match=r"\(new: stored 1, given 2\)"):
        store.queue.submit("a", {"x": 1, "new": 2}, seed=0, complete=complete)
    assert store.queue.submit("a", {"x": 1, "new": 1}, seed=0, complete=complete).state == "queued"


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(store: Store, seed: int) -> None:
    with pytest.raises(UsageError, match=f"seed {seed}: allowed: 0 to 9223372036854775807"):
        store.study("a", {}, seed=seed)


def test_the_largest_seed_comes_back(store: Store) -> None:
    store.study("a", {}, seed=2**63 - 1)
    assert store.load("a").seed == 2**63 - 1


def test_settings_that_are_no_json_are_refused(store: Store) -> None:
    with pytest.raises(UsageError, match=r"settings.data.path is of type PosixPath|settings.data.path is of type"):
        store.study("a", {"data": {"path": object()}}, seed=0)
    assert store.studies() == []


def test_an_unknown_study_lists_close_names(store: Store) -> None:
    store.study("digits", {}, seed=0)
    with pytest.raises(UsageError, match="unknown study 'digit': did you mean 'digits'"):
        store.load("digit")


def test_summaries(store: Store, expire: Callable[[Study], None]) -> None:
    study = store.study("a", {}, seed=4)
    store.study("b", {}, seed=5)
    study.take("me")
    for kind, key in (("evaluation", "x"), ("evaluation", "x"), ("evaluation", "y"), ("training", "x")):
        study.begin(kind, key)
    study.finish("evaluation", "x", {})
    study.finish("training", "x", {})
    first, second = store.studies()
    assert (first.name, first.state, first.seed, first.runner) == ("a", "running", 4, "me")
    assert (first.num_evaluations, first.num_repeated) == (1, 1)
    assert (second.name, second.state, second.runner, second.num_evaluations) == ("b", "new", "", 0)
    assert abs(first.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert first.created_at <= second.created_at <= first.updated_at
    expire(study)
    assert [(summary.state, summary.runner) for summary in store.studies()] == [("interrupted", ""), ("new", "")]


def test_delete_takes_all_that_is_stored_and_nothing_else(store: Store) -> None:
    for name in ("a", "b"):
        with store.study(name, {}, seed=0).held("r") as study:
            study.begin("evaluation", "k")
            study.finish("evaluation", "k", {"name": name})
    store.delete("a")
    again = store.study("a", {}, seed=9)
    assert again.done("evaluation") == {}
    assert store.load("b").done("evaluation") == {"k": {"name": "b"}}


def test_a_held_study_is_not_deleted(store: Store, expire: Callable[[Study], None]) -> None:
    study = store.study("a", {}, seed=0)
    study.take("busy")
    with pytest.raises(ConflictError, match="study 'a' is held by runner 'busy' on host"):
        store.delete("a")
    assert study.state == "running"
    expire(study)
    store.delete("a")
    with pytest.raises(ConflictError, match="study 'a' was deleted"):
        study.take("busy")
    with pytest.raises(ConflictError, match="study 'a' was deleted"):
        _ = study.state


def test_the_id_of_a_deleted_study_is_not_used_again(store: Store, expire: Callable[[Study], None]) -> None:
    late = store.study("a", {}, seed=0)
    late.take("late")
    expire(late)
    store.delete("a")
    fresh = store.study("a", {}, seed=0)
    fresh.take("fresh")
    with pytest.raises(ConflictError, match="was deleted"):
        late.begin("evaluation", "k")
    assert fresh.attempts("evaluation") == {}
