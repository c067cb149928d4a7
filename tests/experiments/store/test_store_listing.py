from __future__ import annotations

from experiments.store.store import Budget, Store


def test_a_summary_holds_what_a_list_shows(store: Store) -> None:
    budget = Budget(max_evaluations=5, max_hours=1.5)
    store.queue.submit("a", {"x": 1}, seed=3, priority=2, budget=budget, tags=["t"], note="n")
    [found] = store.studies()
    assert (found.name, found.seed, found.state, found.priority) == ("a", 3, "queued", 2)
    assert (found.max_evaluations, found.max_hours, found.tags, found.note) == (5, 1.5, ("t",), "n")
    assert (found.runner, found.used_hours, found.num_evaluations) == ("", 0.0, 0)
    assert found.queued_at is not None
    study = store.queue.claim("r")
    assert study is not None
    study.begin("evaluation", "k")
    study.finish("evaluation", "k", {})
    [found] = store.studies(state="running")
    assert (found.runner, found.num_evaluations) == ("r", 1)
    assert 0 < found.used_hours < 1
    assert store.studies(state="queued") == []


def test_pages_follow_each_other(store: Store) -> None:
    for index in range(7):
        store.study(f"s{index}", {}, seed=0)
    names, after = [], 0
    while page := store.studies(after=after, limit=3):
        names.append([study.name for study in page])
        after = page[-1].id
    assert names == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6"]]
