from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import Nas

from experiments.benchmarks import benchmarks
from experiments.cli.bench import argument_helps, benchmark_command, summary


def test_the_benchmarks_are_listed(nas: Nas) -> None:
    names = [row["benchmark"] for row in nas("bench", "--json").data]
    assert {"supernet", "counting"} <= set(names)
    lines = nas("bench").out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == names
    assert [name for name in names if name not in nas("bench", "--help").out] == []


def test_a_benchmark_is_run_with_its_settings(nas: Nas) -> None:
    arguments = ("bench", "counting", "--rows", "1000", "--repeats", "1")
    found = nas(*arguments, "--json").data
    assert (found["rows"], found["repeats"]) == (1000, 1)
    assert found["architectures_per_s"] > 0
    assert found["machine"]["torch_threads"] == "1"
    assert "architectures_per_s: " in nas(*arguments).out


def test_the_help_says_what_each_setting_is(nas: Nas) -> None:
    said = nas("bench", "counting", "--help").out
    assert "Calls; the median counts" in said
    assert "--space-name" in said


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["countin"], ["'countin'", "'counting'"]),
        (["counting", "--nothing", "1"], ["--nothing", "counting"]),
        (["counting", "--rows", "many"], ["integer", "--rows"]),
    ],
)
def test_bad_input_is_named(nas: Nas, arguments: list[str], names: list[str]) -> None:
    said = nas("bench", *arguments, code=2)
    assert said.out == ""
    assert [name for name in names if name not in said.error] == []


@pytest.mark.parametrize("name", benchmarks.names())
def test_every_benchmark_is_a_command(name: str) -> None:
    assert benchmark_command(name, benchmarks.get(name)).params[-1].name == "as_json"


@pytest.mark.parametrize("name", benchmarks.names())
def test_the_help_of_every_benchmark_says_what_is_done_and_what_each_setting_is(name: str) -> None:
    command = benchmark_command(name, benchmarks.get(name))
    assert command.help == summary(benchmarks.get(name))
    assert not command.help.startswith("Return")
    assert command.help.endswith(".")
    assert [each.name for each in command.params if not each.help] == []


def test_a_path_without_default_is_an_argument_and_all_else_an_option() -> None:
    def benchmark(folder: Path, name: str, out: Path = Path("x"), count: int = 3, fast: bool = False) -> dict[str, int]:
        """Measure."""
        return {}

    kinds = {each.name: each.param_type_name for each in benchmark_command("some", benchmark).params}
    assert kinds == {
        "folder": "argument",
        **dict.fromkeys(("name", "out", "count", "fast", "as_json"), "option"),
    }


def test_the_section_of_arguments_is_read() -> None:
    text = (
        "Do it.\n\nMore.\n\nArgs:\n    one: the first\n        of all.\n    two: next.\n\nRaises:\n    UsageError: no."
    )
    assert argument_helps(text) == {"one": "The first of all.", "two": "Next."}
    assert argument_helps("Do it.") == {}
