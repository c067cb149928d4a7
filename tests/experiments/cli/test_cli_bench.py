from __future__ import annotations

import pytest
from conftest import Nas


def test_the_benchmarks_are_listed(nas: Nas) -> None:
    names = nas("bench", "--json").data
    assert {"supernet", "counting"} <= set(names)
    assert nas("bench").out.split() == names


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["countin"], ["'countin'", "'counting'"]),
        (["counting", "--set", "nothing=1"], ["setting of benchmark 'counting' 'nothing'"]),
        (["counting", "--set", "nothing"], ["key=value"]),
    ],
)
def test_bad_input_is_named(nas: Nas, arguments: list[str], names: list[str]) -> None:
    said = nas("bench", *arguments, code=2)
    assert said.out == ""
    assert [name for name in names if name not in said.error] == []
