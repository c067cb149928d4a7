from __future__ import annotations

import stat
from pathlib import Path

import pytest

from experiments.service.token import TOKEN_FILE, digest, make_token, matches, read_digest
from search_spaces.errors import StorageError


def test_a_token_is_kept_as_a_digest_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    token = make_token(tmp_path)
    path = tmp_path / TOKEN_FILE
    assert len(token) == 43
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert matches(token, read_digest(tmp_path))


def test_a_new_token_ends_the_old_one(tmp_path: Path) -> None:
    old, new = make_token(tmp_path), make_token(tmp_path)
    assert old != new
    assert not matches(old, read_digest(tmp_path))
    assert matches(new, read_digest(tmp_path))


@pytest.mark.parametrize("given", ["", " ", "T" * 43, digest("t" * 43), "é"])
def test_nothing_else_matches(given: str) -> None:
    assert not matches(given, digest("t" * 43))
    assert not matches(given, None)


def test_without_a_token_there_is_no_digest(tmp_path: Path) -> None:
    assert read_digest(tmp_path) is None


@pytest.mark.parametrize("content", ["", "short", "g" * 64, "é" * 64])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / TOKEN_FILE).write_text(content)
    with pytest.raises(StorageError, match="--new-token"):
        read_digest(tmp_path)
