"""``nas bench``: the benchmarks, each a command whose options are the parameters of its function."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table

Benchmark = Callable[..., dict[str, Any]]


class BenchmarkGroup(TyperGroup):
    """The registered benchmarks as commands, found when they are asked for: their files are not loaded at start."""

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all benchmarks."""
        from experiments.benchmarks import benchmarks

        return benchmarks.names()

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of one benchmark; an unknown name is an error that lists close ones."""
        from experiments.benchmarks import benchmarks

        return benchmark_command(cmd_name, benchmarks.get(cmd_name))


def benchmark_command(name: str, benchmark: Benchmark) -> Any:
    """Return the command of a benchmark: a ``Path`` without default is an argument, all else an option."""
    signature = inspect.signature(benchmark, eval_str=True)
    helps = argument_helps(inspect.getdoc(benchmark) or "")
    parameters = [_with_help(parameter, helps.get(key, "")) for key, parameter in signature.parameters.items()]
    json_option = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=JsonOption, annotation=bool)

    @functools.wraps(benchmark)
    def run(as_json: bool, **settings: Any) -> None:
        found = benchmark(**settings)
        emit(found) if as_json else print_findings(found)

    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*parameters, json_option], return_annotation=None
    )
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*parameters, json_option]}
    single = typer.Typer(add_completion=False)
    single.command(name, help=summary(benchmark))(run)
    return typer.main.get_command(single)


def argument_helps(docstring: str) -> dict[str, str]:
    """Return what the ``Args`` section of a docstring says of each parameter."""
    section = re.search(r"^Args:\n((?: +.*\n?|\n)+)", docstring, re.MULTILINE)
    entries = re.split(r"^ {4}(?=\w+: )", section.group(1), flags=re.MULTILINE) if section else []
    pairs = (entry.partition(": ") for entry in entries if entry.strip())
    return {name.strip(): _as_help(text) for name, _, text in pairs}


def print_findings(found: dict[str, Any]) -> None:
    """Print what a benchmark returned: lists of rows as tables, all else as one line a key."""
    for key, value in found.items():
        if isinstance(value, Sequence) and value and all(isinstance(row, dict) for row in value):
            print(f"{key}:")
            columns = dict.fromkeys(column for row in value for column in row)
            print_table([{column: row.get(column, "") for column in columns} for row in value])
        else:
            print(f"{key}: {value}")


def _with_help(parameter: inspect.Parameter, text: str) -> inspect.Parameter:
    required = parameter.default is inspect.Parameter.empty
    kind = typer.Argument if required and parameter.annotation is Path else typer.Option
    default = kind(... if required else parameter.default, help=text)
    return parameter.replace(default=default, kind=inspect.Parameter.KEYWORD_ONLY)


def summary(benchmark: Benchmark) -> str:
    """Return the first sentence of a benchmark's docstring."""
    return _as_help((inspect.getdoc(benchmark) or "").partition("\n\n")[0])


def _as_help(text: str) -> str:
    line = " ".join(text.replace("``", "").split())
    return line[:1].upper() + line[1:]


bench_app = typer.Typer(cls=BenchmarkGroup)
app.add_typer(bench_app, name="bench", invoke_without_command=True)


@bench_app.callback()
def bench(context: typer.Context, as_json: bool = JsonOption) -> None:
    """Run a benchmark; without a name they are listed. Speed: ratios of interleaved runs, on a quiet machine."""
    from experiments.benchmarks import benchmarks

    if context.invoked_subcommand is not None:
        return
    rows = [{"benchmark": name, "what": summary(benchmarks.get(name))} for name in benchmarks.names()]
    emit(rows) if as_json else print_table(rows)
