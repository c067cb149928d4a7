from __future__ import annotations

import pytest

from search_spaces import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.NasError, 1),
        (errors.UsageError, 2),
        (errors.ConflictError, 3),
        (errors.StorageError, 4),
        (errors.PartialError, 5),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind: type[errors.NasError], code: int) -> None:
    assert kind("").exit_code == code
    assert issubclass(kind, errors.NasError)


def test_unknown_names_what_was_given_close_names_and_all_that_is_allowed() -> None:
    message = str(errors.unknown("target", "h20", ["l4", "h200", "h100"]))
    assert message == "unknown target 'h20': did you mean 'h200' or 'h100'? allowed: h100, h200, l4"


def test_unknown_takes_the_beginning_of_a_long_name_for_it() -> None:
    message = str(errors.unknown("space", "ofa", ["ofa_mobilenet", "ofa_proxyless", "vit"]))
    assert message.startswith("unknown space 'ofa': did you mean 'ofa_mobilenet' or 'ofa_proxyless'? allowed: ")


def test_unknown_without_a_close_name_lists_what_is_allowed() -> None:
    assert str(errors.unknown("target", "zzz", ["l4"])) == "unknown target 'zzz': allowed: l4"
    assert str(errors.unknown("target", "zzz", [])) == "unknown target 'zzz': allowed: none"


def test_missing_extra_gives_the_install_line() -> None:
    assert "pip install 'nas[fvcore]'" in str(errors.missing_extra("fvcore", "fvcore"))
