from __future__ import annotations

from pathlib import Path

import pytest

from experiments.config import make_config
from experiments.plugins import load_plugin
from nas.data.source import SOURCES
from search_spaces.errors import UsageError

SOURCE = """
from nas.data.source import SOURCES

@SOURCES.register("{name}")
def nothing(settings, seed):
    "Return nothing."
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that registers the data source ``of_a_plugin``, which goes with the test."""
    assert SOURCES.names()
    monkeypatch.setattr(SOURCES, "_entries", dict(SOURCES._entries))
    path = tmp_path / "mine.py"
    path.write_text(SOURCE.format(name="of_a_plugin"), encoding="utf-8")
    return path


def test_a_study_finds_what_its_plugin_registers(plugin: Path) -> None:
    content = {"name": "mine", "plugins": [str(plugin)], "data": {"source": "of_a_plugin"}}
    assert make_config(content, "here").data.source == "of_a_plugin"
    assert make_config(content, "here").plugins == (str(plugin),)


@pytest.mark.parametrize("given", ["missing.py", ".", "nas.data", "README.md"])
def test_what_is_no_python_file(given: str) -> None:
    with pytest.raises(UsageError, match=r"here: plugins\[0\]: plugin '.*' is no Python file: give the path of a"):
        make_config({"name": "mine", "plugins": [given]}, "here")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nowhere_at_all", "fails: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("1 +", "fails: SyntaxError"),
        (SOURCE.format(name="digits"), "fails: data source 'digits' is registered twice: rename one of them"),
    ],
)
def test_a_plugin_that_fails_says_how(plugin: Path, text: str, message: str) -> None:
    plugin.write_text(text, encoding="utf-8")
    for _ in range(2):
        with pytest.raises(UsageError, match=message):
            load_plugin(str(plugin))


def test_plugins_are_a_list_of_texts() -> None:
    with pytest.raises(UsageError, match=r"plugins got 'mine.py': Input should be a valid tuple"):
        make_config({"name": "mine", "plugins": "mine.py"}, "here")
