"""The README is true: its commands run, its examples work, its paths exist; and no tracked file names this machine."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from nas_command import Nas, nas
from tiny_study import TinyStudy, study

from experiments.callback import CALLBACKS
from experiments.cli import verbs
from experiments.comparison.settings import read_compare_config
from experiments.config import StudyConfig, make_config, read_config
from experiments.job import read_job, submit_job
from experiments.report.panel import PANELS
from experiments.store.store import Store
from nas.data.source import SOURCES
from nas.search.algorithm import algorithms
from nas.tasks import tasks
from nas.training.distillation import distillations
from nas.training.losses import losses
from nas.training.samplers import samplers
from predictors.target import DEVICES, Device, read_device
from scaling.law import LAWS
from scaling.rule import RULES
from search_spaces import errors
from search_spaces.block import blocks
from search_spaces.feed_forwards import feed_forwards
from search_spaces.mixers import mixers
from search_spaces.precision import PRECISIONS
from search_spaces.registry import Registry
from search_spaces.spaces import space, spaces

__all__ = ["nas", "study"]

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line.partition("#")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
TOML = [text for kind, text in BLOCKS if kind == "toml"]
# Files that the README tells a person to add.
EXAMPLES = {"predictors/targets/mycard.toml", "scaling/rules/deep.py"}
ERRORS = "macs,error_percent\n" + "".join(f"{n}e9,{18 + 5 * n**-0.5}\n" for n in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4))


def nas_commands() -> list[str]:
    return [command for command in COMMANDS if command.startswith("nas ")]


@pytest.fixture
def home(study: TinyStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the README's commands can run: the main job in small, done before, and an architecture file."""
    configs = tmp_path / "experiments" / "configs"
    configs.mkdir(parents=True)
    shutil.copy(study.config, configs / "digits.toml")
    shutil.copytree(study.out, tmp_path / "runs")
    shutil.copy(ROOT / "experiments" / "configs" / "tabular.toml", configs)
    with Store.open(str(tmp_path / "runs" / "nas.db")) as store:
        submit_job(store, read_job(configs / "tabular.toml"))
    (tmp_path / "network.json").write_text(space("ofa_mobilenet").smallest().to_json())
    [target] = [text for text in TOML if "peak_tflops_fp32" in text]
    (tmp_path / "mycard.toml").write_text(target)
    (tmp_path / "errors.csv").write_text(ERRORS)
    [comparison] = [text for text in TOML if "[base]" in text]
    (tmp_path / "comparison.toml").write_text(comparison)
    monkeypatch.setenv("NAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", nas_commands())
def test_every_command_runs(command: str, nas: Nas, home: Path) -> None:
    words = shlex.split(command)
    to = None
    if ">" in words:
        to = home / words[words.index(">") + 1]
        words = words[: words.index(">")]
    said = nas(*words[1:])
    assert said.out or "delete" in words
    if "--json" in words:
        assert said.data
    if to:
        to.write_text(said.out)
        nas("count", to)
    for option in ("--write", "--to", "--bundle", "--out"):
        if option in words:
            assert (home / words[words.index(option) + 1]).exists()


def test_every_verb_has_an_example() -> None:
    shown = {command.split()[1] for command in nas_commands()}
    assert shown == {*verbs.VERBS, "train", "search"}
    assert {command.split()[2] for command in nas_commands() if " study " in command} == {
        "list",
        "show",
        "frame",
        "compare",
        "submit",
        "pause",
        "pick",
        "delete",
    }


def test_the_make_targets_are_those_of_the_makefile() -> None:
    """``make run`` and ``make test`` take minutes: here is what they would do; .ci/run does it from nothing."""
    targets = [command.split()[1] for command in COMMANDS if command.startswith("make ")]
    assert targets == ["run", "test"]
    for target, recipe in zip(targets, ["nas run experiments/configs/digits.toml", "-m pytest"], strict=True):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert recipe in done.stdout
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "experiments" / "configs").glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_that_are_named_can_be_run(path: Path, nas: Nas) -> None:
    assert f"experiments/configs/{path.name}" in README
    if path.stem.startswith("compare"):
        assert len(read_compare_config(path).rules) > 1
        return
    if "table" in tomllib.loads(path.read_text()):
        assert read_job(path).name == path.stem
        return
    assert read_config(path).name.startswith(path.stem.partition("_")[0])
    if read_config(path).data.source != "digits":
        pytest.skip("its data is not in a package: the folder is the user's")
    found = nas("run", path, "--dry-run", "--json").data
    assert found["study"] == read_config(path).name
    assert found["estimated_total_seconds"] > 0


@pytest.mark.parametrize("text", PYTHON, ids=range(len(PYTHON)))
def test_every_python_example_runs(text: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_scaling_rule_is_found_and_keeps_what_it_promises() -> None:
    [rule] = [text for text in PYTHON if "RULES.register" in text]
    program = (
        f"{rule}\nfrom scaling.rule import scaling_rule\nfrom search_spaces import cost\n"
        "from search_spaces.spaces import space\nfamily = space('ofa_mobilenet')\n"
        "base = family.blueprint(family.smallest())\nscaled = scaling_rule('deep')(base, 8)\n"
        "assert abs(scaled.predicted.macs - 8) < 1e-9, scaled.predicted\n"
        "assert cost(scaled.blueprint).macs > 4 * cost(base).macs\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_target_is_a_device(tmp_path: Path) -> None:
    [text] = [text for text in TOML if "peak_tflops_fp32" in text]
    path = tmp_path / "mycard.toml"
    path.write_text(text)
    device = read_device(path)
    assert isinstance(device, Device)
    assert device.precisions == ("fp32", "fp16")
    assert device.name not in DEVICES.names()


def test_the_configuration_for_own_images_is_one(tmp_path: Path) -> None:
    [text] = [text for text in TOML if "[data]" in text]
    path = tmp_path / "flowers.toml"
    path.write_text(text)
    config: StudyConfig = read_config(path)
    assert config.data.source == "image_folder"
    assert config.objectives[1].upper == 5.0


def test_the_quantisation_that_is_shown_can_be_searched() -> None:
    [text] = [text for text in TOML if "[quantisation]" in text]
    config = make_config({"name": "quantised", **tomllib.loads(text)}, "README")
    assert config.quantisation is not None
    assert set(PRECISIONS) == {*config.quantisation.precisions, "bf16"}
    assert config.objectives[2].name == "size_bytes"


def test_every_path_that_is_named_exists() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"runs"}
    spans = re.findall(r"`([\w./-]+)`", README)
    named = {span for span in spans if "/" in span and span.split("/")[0] in folders}
    linked = set(re.findall(r"\]\(([^)]+)\)", README))
    stages = {
        f"experiments/stages/{name}" for kind, t in BLOCKS if kind == "text" for name in re.findall(r"\w+\.py", t)
    }
    assert len(named) > 15
    assert len(stages) == 7
    missing = {path for path in named | linked | stages if not (ROOT / path).exists()}
    assert missing == EXAMPLES


KINDS: dict[str, Registry[object]] = {
    registry.kind: registry  # type: ignore[misc]
    for registry in (
        blocks,
        mixers,
        feed_forwards,
        spaces,
        DEVICES,
        RULES,
        LAWS,
        SOURCES,
        samplers,
        tasks,
        losses,
        distillations,
        algorithms,
        PANELS,
        CALLBACKS,
    )
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_added_where_the_table_says(kind: str) -> None:
    rows = [line.split("|") for line in README.splitlines() if line.startswith(f"| {kind} |")]
    [(_, _, folder, _, group, _)] = rows
    assert folder.strip().strip("`").strip("/").replace("/", ".") == KINDS[kind]._package
    assert group.strip().strip("`") == f"nas.{kind.replace(' ', '_')}"


@pytest.mark.parametrize("registry", [samplers, losses, distillations], ids=lambda registry: registry.kind)
def test_the_settings_of_training_name_all_that_can_be_chosen(registry: Registry[object]) -> None:
    [row] = [line for line in README.splitlines() if line.startswith(f"| `{registry.kind}`")]
    assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == set(registry.names())


def test_the_exit_codes_are_those_of_the_errors() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.NasError)]
    raised = {kind.exit_code for kind in kinds}
    assert told == raised | {0, 130}


def test_the_targets_are_the_known_ones() -> None:
    [text] = re.findall(r"^- Known targets: (.*?) and\n", README, re.MULTILINE | re.DOTALL)
    told = {re.sub(r"[^a-z0-9]", "", part.lower()) for part in re.split(r"[,()]", text)}
    missing = {device for device in set(DEVICES.names()) - {"cpu"} if re.sub("[^a-z0-9]", "", device) not in told}
    assert missing <= {"a100-80g"}
    assert "a10080gb" in told


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout: there is no list of tracked files")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_a_path_of_a_machine_or_a_package_registry() -> None:
    machine = re.compile(r"(?<![\w.~/])/(?:work|tmp|root|home)/")
    host = re.compile(r"pypi\.|pythonhosted\.|pytorch\.org|anaconda\.|docker\.io|ghcr\.io", re.IGNORECASE)
    files = tracked()
    assert len(files) > 100
    found = []
    for path in files:
        for number, line in enumerate(path.read_bytes().decode("utf-8", "ignore").splitlines(), start=1):
            if machine.search(line) or host.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []
