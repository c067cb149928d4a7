from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_comparison import write_config

from experiments.comparison import training
from experiments.comparison.run import compare
from experiments.comparison.settings import read_compare_config
from experiments.comparison.training import JOURNAL
from experiments.comparison.trials import Trial
from experiments.talk import Talk
from search_spaces.errors import UsageError

QUIET = Talk(quiet=True)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A finished comparison: its folder and its findings."""
    folder = tmp_path_factory.mktemp("comparison")
    config = read_compare_config(write_config(folder), ["factors=[5]"])
    return folder / "tiny", compare(config, folder, QUIET)


def test_every_rule_has_a_row_beside_the_base(done: tuple[Path, dict[str, Any]]) -> None:
    _, found = done
    assert [row["rule"] for row in found["rows"]] == ["base", "w", "d", "s2"]
    for row in found["rows"][1:]:
        assert row["growth"]["macs"] == pytest.approx(5, rel=0.2)
        assert row["growth"]["macs"] == row["macs"] / found["rows"][0]["macs"]


def test_latency_is_measured_here_and_analytic_elsewhere(done: tuple[Path, dict[str, Any]]) -> None:
    _, found = done
    *single, scales = found["rows"]
    assert scales["latency"] == {}
    for row in single:
        here, there = row["latency"]["cpu:fp32:b1"], row["latency"]["h100:fp16:b1"]
        assert (here["obtained"], there["obtained"]) == ("measured", "analytic")
        assert 0 < there["low_ms"] < there["latency_ms"] < there["high_ms"]


def test_accuracy_has_its_spread_over_seeds(done: tuple[Path, dict[str, Any]]) -> None:
    _, found = done
    for row in found["rows"][:3]:
        one, two = row["test_accuracies"]
        assert row["test_accuracy"] == (one + two) / 2
        assert row["test_accuracy_spread"] == pytest.approx(abs(one - two) / 2**0.5)
        assert row["training_s"] > 0
    assert "test_accuracy" not in found["rows"][3]


def test_files_say_what_was_found(done: tuple[Path, dict[str, Any]]) -> None:
    folder, found = done
    assert json.loads((folder / "compare.json").read_text()) == json.loads(json.dumps(found))
    rows = list(csv.DictReader((folder / "compare.csv").read_text().splitlines()))
    assert [row["rule"] for row in rows] == ["base", "w", "d", "s2"]
    assert float(rows[1]["latency_ms@cpu:fp32:b1"]) == found["rows"][1]["latency"]["cpu:fp32:b1"]["latency_ms"]
    page = (folder / "compare.html").read_text()
    assert "Comparison of scaling rules" in page
    assert "runs at several scales" in page


def test_the_same_call_does_nothing_twice(done: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, found = done

    def fail(_trial: Trial) -> dict[str, Any]:
        raise AssertionError("a trial was run twice")

    monkeypatch.setattr(training, "run_trial", fail)
    config = read_compare_config(folder.parent / "tiny.toml", ["factors=[5]"])
    again = compare(config, folder.parent, QUIET)
    assert again["rows"] == found["rows"]


def test_a_base_for_other_data_is_refused_before_anything_runs(tmp_path: Path) -> None:
    config = read_compare_config(write_config(tmp_path), ["base.space.num_classes=11"])
    with pytest.raises(UsageError, match=r"11 classes \(the data has 10\)"):
        compare(config, tmp_path, QUIET)
    assert not (tmp_path / "tiny").exists()


def test_a_comparison_that_is_killed_goes_on_from_its_finished_trials(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    command = [sys.executable, "-m", "experiments", "compare", str(path), "--out", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    journal = tmp_path / "tiny" / JOURNAL
    deadline = time.monotonic() + 300
    while not (journal.exists() and journal.read_text().count("\n") >= 2) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = journal.read_text().splitlines()[:2]
    found = compare(read_compare_config(path), tmp_path, QUIET)
    lines = journal.read_text().splitlines()
    assert lines[:2] == kept
    assert len(lines) == len(set(lines)) == 6
    assert all(len(row["test_accuracies"]) == 2 for row in found["rows"])


@pytest.mark.slow
def test_trials_on_ray_are_the_trials_here(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    pytest.importorskip("ray")
    folder, found = done
    config = read_compare_config(folder.parent / "tiny.toml", ["factors=[5]"])
    on_ray = compare(config, tmp_path, QUIET, ray="local")
    accuracies = [[row.get("test_accuracies") for row in each["rows"]] for each in (found, on_ray)]
    assert accuracies[0] == accuracies[1]
