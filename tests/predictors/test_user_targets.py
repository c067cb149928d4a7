import stat

import pytest

from predictors.device import read_device
from predictors.target import target
from predictors.user_folder import user_folder
from predictors.user_targets import add_device, to_toml, user_files
from search_spaces.errors import ConflictError, StorageError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HOME", str(tmp_path / "mine"))
    return tmp_path / "mine"


def renamed(name):
    return target("t4").device.model_copy(update={"name": name})


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("NAS_HOME", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "nas"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder() == tmp_path / ".config" / "nas"
    monkeypatch.setenv("NAS_HOME", str(tmp_path / "x"))
    assert user_folder() == tmp_path / "x"


def test_an_added_device_is_a_file_that_reads_back(home):
    assert user_files() == []
    path = add_device(renamed("mine"))
    assert user_files() == [path]
    assert path == home / "targets" / "mine.toml"
    assert read_device(path) == renamed("mine")


def test_quotes_and_umlauts_survive(tmp_path):
    device = renamed("mine").model_copy(update={"title": 'Größe "L" \\ 2', "notes": ("a: b\tc",)})
    (tmp_path / "mine.toml").write_text(to_toml(device), encoding="utf-8")
    assert read_device(tmp_path / "mine.toml") == device


def test_a_name_that_is_taken_is_refused(home):
    with pytest.raises(ConflictError, match="target 't4' is known already: give another name"):
        add_device(renamed("t4"))
    assert not home.exists()


def test_a_folder_that_can_not_be_written(home):
    home.write_text("a file")
    with pytest.raises(StorageError, match="set NAS_HOME"):
        add_device(renamed("mine"))
    assert stat.S_ISREG(home.stat().st_mode)
