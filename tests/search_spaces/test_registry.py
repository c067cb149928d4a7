from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import registry
from search_spaces.errors import UsageError
from search_spaces.registry import Registry

PACKAGE = "slow_registry_package"
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)


def empty() -> Registry[int]:
    """A registry over a package whose files register nothing in it."""
    return Registry("thing", "search_spaces.spaces")


@given(st.sets(NAMES, max_size=6), NAMES)
def test_get_gives_the_entry_or_an_error_that_lists_the_names(names: set[str], asked: str) -> None:
    things = empty()
    for number, name in enumerate(sorted(names)):
        things.register(name)(number)
    assert things.names() == sorted(names)
    if asked in names:
        assert things.get(asked) == sorted(names).index(asked)
    else:
        with pytest.raises(UsageError, match=f"unknown thing '{asked}'") as caught:
            things.get(asked)
        assert str(caught.value).endswith(f"allowed: {', '.join(sorted(names)) or 'none'}")


def test_a_close_name_is_offered() -> None:
    things = empty()
    things.register("nsga2")(1)
    with pytest.raises(UsageError, match="did you mean 'nsga2'"):
        things.get("nsga")


def test_a_second_entry_of_one_name_is_an_error() -> None:
    things = empty()
    things.register("one")(1)
    with pytest.raises(UsageError, match="thing 'one' is registered twice: rename one of them"):
        things.register("one")(2)
    assert things.get("one") == 1


def test_files_of_the_package_register_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "toy_things"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from search_spaces.registry import Registry\nthings = Registry('thing', __name__)\n"
    )
    (package / "first.py").write_text("from toy_things import things\nthings.register('first')(1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("toy_things").things.get("first") == 1


def test_entry_points_of_other_distributions_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def points(group: str) -> list[EntryPoint]:
        asked.append(group)
        return [EntryPoint("mine", "json:loads", group)]

    monkeypatch.setattr(registry, "entry_points", points)
    assert Registry("scaling rule", "search_spaces.spaces").names() == []
    assert asked == ["nas.scaling_rule"]


def test_threads_that_ask_while_files_are_loaded_wait_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from search_spaces.registry import Registry\nTHINGS = Registry('thing', __name__)\n"
    )
    (folder / "slow.py").write_text(
        f"import time\nfrom {PACKAGE} import THINGS\nassert THINGS.names() == []\ntime.sleep(0.2)\n"
        "THINGS.register('slow')(1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    things = importlib.import_module(PACKAGE).THINGS
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: things.names(), range(8)))
    assert found == [["slow"]] * 8
