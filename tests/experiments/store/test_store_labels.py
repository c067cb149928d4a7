from __future__ import annotations

import pytest

from experiments.store.store import Store
from search_spaces.errors import UsageError

ODD = ["it's", "100 %", ";-- DROP TABLE tags", "🦜", "x" * 64]


def test_tags_are_put_on_once_found_by_and_taken_off(store: Store) -> None:
    store.study("a", {}, seed=0)
    store.queue.submit("b", {}, seed=0, tags=["cpu"])
    store.labels.tag("a", [*ODD, "cpu", "cpu"])
    store.labels.tag("a", ["cpu"])
    [first, second] = store.studies()
    assert first.tags == tuple(sorted([*ODD, "cpu"]))
    assert second.tags == ("cpu",)
    assert [study.name for study in store.studies(tag="cpu")] == ["a", "b"]
    assert [study.name for study in store.studies(tag=ODD[2])] == ["a"]
    store.labels.untag("a", ["cpu", "never there"])
    assert [study.name for study in store.studies(tag="cpu")] == ["b"]
    store.delete("b")
    assert store.studies(tag="cpu") == []


@pytest.mark.parametrize("tag", ["", " a", "a\n", "x" * 65])
def test_tags_that_can_not_be_stored_are_refused_and_nothing_is_made(store: Store, tag: str) -> None:
    with pytest.raises(UsageError, match="tag name"):
        store.queue.submit("a", {}, seed=0, tags=["fine", tag])
    assert store.studies() == []


def test_a_note_is_free_text(store: Store) -> None:
    store.study("a", {}, seed=0)
    text = "Second try.\n<script>'\"; % 🦜"
    store.labels.note("a", text)
    assert store.studies()[0].note == text
    store.labels.note("a", "")
    assert store.studies()[0].note == ""
    with pytest.raises(UsageError, match="the note has 100001 characters"):
        store.labels.note("a", "x" * 100_001)


def test_templates(store: Store) -> None:
    store.labels.save_template("cells", {"search": {"evaluations": 5}}, "a note")
    store.labels.save_template("other", {"x": float("inf")})
    store.labels.save_template("cells", {"search": {"evaluations": 6}})
    assert [template.name for template in store.labels.templates()] == ["cells", "other"]
    found = store.labels.template("cells")
    assert (found.settings, found.note) == ({"search": {"evaluations": 6}}, "")
    store.labels.delete_template("other")
    for use in (store.labels.template, store.labels.delete_template):
        with pytest.raises(UsageError, match="unknown template 'cell': did you mean 'cells'"):
            use("cell")
    assert len(store.labels.templates()) == 1
