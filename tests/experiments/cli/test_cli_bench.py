from __future__ import annotations

import pytest
from nas_command import Nas


def test_the_benchmarks_are_listed(nas: Nas) -> None:
    names = nas("bench", "--json").data
    assert {"supernet", "counting"} <= set(names)
    assert nas("bench").out.split() == names


def test_a_benchmark_is_run_with_its_settings(nas: Nas) -> None:
    arguments = ("bench", "counting", "--set", "rows=1000", "--set", "repeats=1")
    found = nas(*arguments, "--json").data
    assert (found["rows"], found["repeats"]) == (1000, 1)
    assert found["architectures_per_s"] > 0
    assert found["machine"]["torch_threads"] == "1"
    assert "architectures_per_s: " in nas(*arguments).out


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
