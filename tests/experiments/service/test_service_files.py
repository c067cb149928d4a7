from __future__ import annotations

import os
from pathlib import Path

import pytest

from experiments.service.files import open_below
from search_spaces.errors import UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    inside = tmp_path / "root"
    (inside / "models").mkdir(parents=True)
    (inside / "models" / "file.txt").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.txt").write_text("outside")
    return inside


def test_a_file_below_the_root_is_opened(root: Path) -> None:
    with open_below(root, "models/file.txt") as file:
        assert file.read() == b"inside"


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    with open_below(link, "models/file.txt") as file:
        assert file.read() == b"inside"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../secret", "models/../../secret", "/etc/passwd", "//etc/passwd", "models", "models/",
     "models//file.txt", "./models/file.txt", "..\\secret", "models\\file.txt", "file\0.txt", "absent",
     "x" * 5000, "models/file.txt/x"],
)  # fmt: skip
def test_nothing_else_is(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no such file"):
        open_below(root, name)


def test_no_link_is_followed(root: Path, tmp_path: Path) -> None:
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "inner").symlink_to(root / "models" / "file.txt")
    (root / "folder").symlink_to(tmp_path / "outside")
    for name in ("link", "inner", "folder/file.txt"):
        with pytest.raises(UsageError, match="no such file"):
            open_below(root, name)


def test_a_pipe_is_refused_and_does_not_block(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(UsageError, match="no such file"):
        open_below(root, "pipe")
