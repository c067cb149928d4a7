"""The command as a whole: help, exit codes, one line an error, nothing heavy loaded early."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from nas_command import Nas
from tiny_study import TinyStudy

import experiments.cli
from experiments.cli import verbs
from search_spaces.errors import ConflictError, NasError, PartialError, StorageError, UsageError

HEAVY = ("torch", "pandas", "sqlalchemy", "plotly", "pymoo", "sklearn", "onnx", "onnxruntime", "jinja2", "scipy")
LOADED = f"import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
VERBS = sorted({*verbs.VERBS, "train", "search"})


def loaded_by(program: str) -> str:
    """Return the last line that a fresh Python prints: the heavy packages that ``program`` loaded."""
    done = subprocess.run([sys.executable, "-c", f"{program}; {LOADED}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("package", ["nas", "experiments", "scaling", "predictors", "search_spaces", "experiments.cli"])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    assert loaded_by(f"import {package}") == "[]"


@pytest.mark.parametrize("arguments", [["--help"], [], ["run", "--help"], ["study", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    call = f"from experiments.cli import main\ntry: main({arguments!r})\nexcept SystemExit as end: assert not end.code"
    assert loaded_by(f"exec({call!r})") == "[]"


def test_help_names_every_verb(nas: Nas) -> None:
    said = nas("--help")
    assert [verb for verb in VERBS if f" {verb} " not in said.out] == []
    assert said.err == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(nas: Nas, verb: str) -> None:
    assert f"nas {verb}" in nas(verb, "-h").out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["rn"], ["No such command 'rn'", "'run'", "nas --help"]),
        (["study", "shw"], ["No such command 'shw'", "'show'", "nas study --help"]),
        (["study"], ["Missing command", "nas study --help"]),
        (["run"], ["CONFIG", "nas run --help"]),
        (["run", "x.toml", "--stor", "x"], ["--stor", "--storage", "nas run --help"]),
        (["spaces", "--sample", "many"], ["--sample", "integer"]),
        (["count", "x.json", "--resolution", "0"], ["--resolution"]),
        (["--loud", "doctor"], ["--loud"]),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(nas: Nas, arguments: list[str], names: list[str]) -> None:
    said = nas(*arguments, code=2)
    assert said.out == ""
    assert [name for name in names if name not in said.error] == []


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NasError("it failed: do this"), 1),
        (UsageError("it failed: do this"), 2),
        (ConflictError("it failed: do this"), 3),
        (StorageError("it failed: do this"), 4),
        (PartialError("it failed: do this"), 5),
    ],
)
def test_an_error_is_one_line_with_its_exit_code(
    nas: Nas, monkeypatch: pytest.MonkeyPatch, error: NasError, code: int
) -> None:
    monkeypatch.setattr("experiments.machine.versions", failing(error))
    said = nas("doctor", code=code)
    assert said.err == "nas: it failed: do this\n"
    assert said.out == ""


def test_debug_shows_the_traceback_and_keeps_the_exit_code(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.machine.versions", failing(ConflictError("it failed")))
    said = nas("--debug", "doctor", code=3)
    assert said.err.startswith("Traceback")
    assert "experiments/cli/doctor.py" in said.err
    assert said.err.endswith("nas: it failed\n")


def test_a_defect_is_one_line_that_says_how_to_see_where(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.machine.versions", failing(ZeroDivisionError("of\nlines")))
    assert nas("doctor", code=1).error == "nas: ZeroDivisionError: of lines (a defect: nas --debug ... shows where)"
    assert "Traceback" in nas("--debug", "doctor", code=1).err


def test_an_interrupt_ends_with_130(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.machine.versions", failing(KeyboardInterrupt()))
    assert nas("doctor", code=130).error == "nas: interrupted; the same command goes on from here"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_is_no_error(unbuffered: str) -> None:
    program = [sys.executable, "-c", "from experiments.cli import main; main(['targets'])"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_python_m_experiments_is_the_command(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "experiments", "count", str(tmp_path / "none.json")]
    done = subprocess.run(program, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 2
    assert done.stderr.startswith("nas: can't read")


def test_every_file_of_a_verb_is_loaded() -> None:
    files = {path.stem for path in Path(experiments.cli.__file__).parent.glob("*.py")}
    assert files == {*verbs.VERBS, *verbs.PARTS, "__init__", "common", "verbs"}
    assert isinstance(experiments.cli.app, typer.Typer)


def test_quiet_says_nothing_and_gives_the_same_data(nas: Nas, copy: TinyStudy) -> None:
    loud = nas("search", copy.config, "--out", copy.out, "--json")
    quiet = nas("--quiet", "search", copy.config, "--out", copy.out, "--json")
    assert "study digits" in loud.err
    assert quiet.err == ""
    assert quiet.data == loud.data
