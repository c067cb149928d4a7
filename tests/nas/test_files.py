from __future__ import annotations

from pathlib import Path

import pytest

from nas.files import replacing, write_text
from search_spaces.errors import StorageError


def test_a_text_is_written_as_it_is_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "card.md"
    write_text(path, "für\n")
    assert path.read_bytes() == "für\n".encode()
    assert [child.name for child in path.parent.iterdir()] == ["card.md"]


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["card.md"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"can't write .*card\.md.*choose another folder"):
        write_text(tmp_path / "file" / "card.md", "text")


def test_a_path_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "card.md").mkdir()
    with pytest.raises(StorageError, match=r"can't write .*card\.md"):
        write_text(tmp_path / "card.md", "text")
