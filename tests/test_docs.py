"""The documentation is true: its commands run, its lists are whole, it loads nothing from another host.

The pages run a first study of a minute; here its configuration is replaced by that of the tiny study, which is done.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from nas_command import Nas, nas
from tiny_study import TinyStudy, study

from experiments.cli import app, verbs
from search_spaces import errors

__all__ = ["nas", "study"]

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
SLOW = dict.fromkeys(("how-to/export.md", "how-to/sweep.md"), "README has its commands too")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    return [line.strip() for block in blocks(page, "sh") for line in block.splitlines() if line.strip()]


@pytest.fixture
def home(study: TinyStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny study, done, and its configuration as nas.toml."""
    shutil.copytree(study.out, tmp_path / "runs")
    shutil.copy(study.config, tmp_path / "nas.toml")
    monkeypatch.setenv("NAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else []) for page in PAGES if commands(page)]
)
def test_the_commands_of_a_page_run_in_their_order(page: str, nas: Nas, home: Path) -> None:
    for command in commands(page):
        words = ["digits" if word == "first" else word for word in shlex.split(command)]
        assert words[0] == "nas"
        to = home / words[words.index(">") + 1] if ">" in words else None
        words = words[: words.index(">")] if to else words
        if words[1:] == ["init"]:
            kept = (home / "nas.toml").rename(home / "kept.toml").read_text()
            nas("init")
            (home / "nas.toml").write_text(kept)
            continue
        said = nas(*words[1:])
        if to:
            to.write_text(said.out)
    if page == "how-to/export.md":
        [example] = blocks(page, "python")
        exec(compile(example, page, "exec"), {})


def test_the_client_of_the_page_reads_a_server(home: Path) -> None:
    [example] = blocks("how-to/serve.md", "python")
    command = [sys.executable, "-m", "experiments", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            [base] = re.findall(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            program = example.replace("http://127.0.0.1:8765", base).replace('"first"', '"digits"')
            done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        finally:
            process.terminate()
    assert done.returncode == 0, done.stderr
    assert "analytic" in done.stdout
    assert "model.safetensors" in done.stdout


def test_the_callback_of_the_page_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = blocks("how-to/callbacks.md", "python")
    found: dict[str, object] = {}
    exec(compile(example, "callbacks.md", "exec"), found)
    from experiments.callback import CALLBACKS, Finished

    found["print_accuracy"](Finished("s", "evaluation", 1, "k", {"accuracy": 90.0}, ()))  # type: ignore[operator]
    assert "90.0" in capsys.readouterr().out
    assert set(re.findall(r"^\| `(\w+)` \|", text("how-to/callbacks.md"), re.MULTILINE)) == set(CALLBACKS.names())


def test_every_command_is_in_the_reference_and_has_help() -> None:
    verbs.load()
    group = typer.main.get_command(app)
    context = typer.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}  # type: ignore[attr-defined]
    rows = {
        name: f"| `nas {name}` | {' '.join((c.help or '').partition(chr(10) * 2)[0].split())} |"
        for name, c in found.items()
    }
    told = set(re.findall(r"^\| `nas ([\w-]+)` \|", text("reference.md"), re.MULTILINE))
    assert told - set(rows) == set()
    missing = [row for name, row in rows.items() if name not in told]
    assert not missing, "add to docs/reference.md:\n" + "\n".join(missing)
    assert all(len(command.help) > 10 for command in found.values())


def test_every_call_of_the_api_is_in_the_reference(tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="FastAPI is not installed: pip install 'nas[serve]'")
    from experiments.service.app import make_application
    from experiments.store.store import Store

    with Store.open(str(tmp_path / "nas.db")) as store:
        schema = make_application(store, tmp_path).openapi()
    calls = {(method.upper(), path) for path, found in schema["paths"].items() for method in found}
    told = re.findall(r"^\| `([A-Z]+) (/api\S*)` \| (.*) \|$", text("reference.md"), re.MULTILINE)
    assert {(method, path) for method, path, _ in told} == calls
    assert all(line.endswith("(token)") == (method != "GET") for method, _, line in told)


def test_the_errors_are_a_closed_list() -> None:
    kinds = {k.__name__: k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.NasError)}
    rows = re.findall(r"^\| `(\w+)` \| (\d) \| ([\d, ]*)\| ", text("errors.md"), re.MULTILINE)
    assert {name: int(code) for name, code, _ in rows} == {name: kind.exit_code for name, kind in kinds.items()}


def test_the_kinds_of_the_api_s_errors_are_a_closed_list() -> None:
    pytest.importorskip("fastapi", reason="FastAPI is not installed: pip install 'nas[serve]'")
    from experiments.service.guard import KINDS

    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", text("errors.md"), re.MULTILINE)
    assert {int(status): kind for kind, status in rows} == {**KINDS, 500: "failure"}


def test_every_link_and_image_is_there_and_small() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)\)", text(page)):
            path = (DOCS / page).parent / target
            assert path.exists(), (page, target)
            assert path.suffix == ".md" or path.stat().st_size < 200_000


def test_the_site_is_built_and_loads_nothing_from_another_host(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'nas[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for path in pages:
        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"([^\"]*)\"", path.read_text())
        assert loaded
        assert [address for address in loaded if re.match(r"(?:https?:)?//", address)] == []
    for path in (tmp_path / "site").rglob("*.css"):
        assert re.findall(r"url\([\"']?(?:https?:)?//", path.read_text(encoding="utf-8", errors="ignore")) == []
