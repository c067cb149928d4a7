import pytest

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, refuse, required_path, some
from search_spaces.errors import UsageError


def test_the_sources_are_found_by_their_files():
    assert {"digits", "fashion_mnist", "image_folder", "npz"} <= set(SOURCES.names())


def test_an_unknown_source_lists_close_names():
    with pytest.raises(UsageError, match=r"unknown data source 'digit': did you mean 'digits'\?"):
        SOURCES.get("digit")


def test_a_missing_path_says_what_it_must_hold(tmp_path):
    with pytest.raises(UsageError, match="data source 'npz' needs a path: set path to a file"):
        required_path(DataSettings(source="npz"), "a file")
    with pytest.raises(UsageError, match=r"gone' does not exist: set path to a file"):
        required_path(DataSettings(source="npz", path=str(tmp_path / "gone")), "a file")


def test_a_setting_that_a_source_does_not_read_is_refused():
    refuse(DataSettings(), ["path", "size"])
    with pytest.raises(UsageError, match="data source 'digits' takes no size, given 16: leave it out"):
        refuse(DataSettings(size=16), ["path", "size"])


def test_a_long_list_of_names_is_cut():
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefgh")) == "a, b, c, d, e and 3 more"
