from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.journal import Journal
from search_spaces.errors import StorageError, UsageError


def test_what_was_added_is_found_by_another_journal_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    assert Journal(path).get({"a": 1}) is None
    assert Journal(path).add({"a": 1, "b": "x"}, {"score": 0.1}) == {"score": 0.1}
    Journal(path).add({"a": 2}, {"score": 0.2})
    journal = Journal(path)
    assert journal.get({"b": "x", "a": 1}) == {"score": 0.1}
    assert journal.get({"a": 2}) == {"score": 0.2}
    assert journal.get({"a": 3}) is None


@given(cut=st.integers(1, 60))
def test_a_line_that_a_kill_cut_short_is_no_row_and_is_written_over(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "rows.jsonl"
    first = Journal(path)
    first.add({"a": 1}, {"score": 1})
    whole = path.stat().st_size
    first.add({"a": 2}, {"score": 2})
    content = path.read_bytes()
    path.write_bytes(content[: max(whole, len(content) - cut)])
    journal = Journal(path)
    assert journal.get({"a": 1}) == {"score": 1}
    assert journal.get({"a": 2}) is None
    journal.add({"a": 3}, {"score": 3})
    found = Journal(path)
    assert [found.get({"a": number}) for number in (1, 2, 3)] == [{"score": 1}, None, {"score": 3}]


@pytest.mark.parametrize("line", ["text", "[1]", '{"key": {}}', '{"key": {}, "result": 3}'])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UsageError, match="is no journal: it holds"):
        Journal(path)
    assert path.read_text() == line + "\n"


def test_a_folder_that_can_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"can't (read|write) .*choose another folder"):
        Journal(tmp_path / "file" / "rows.jsonl").add({}, {})
