"""calibrate: a latency model of a space on this CPU, kept in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from nas_command import Nas

from experiments.calibrated import read_calibrated


def test_a_model_is_fitted_checked_and_stored(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_HOME", str(tmp_path))
    arguments = ["cpu:b1", "--space", "nb201", "--budget", 5, "--held-out", 2, "--threads", 1]
    said = nas("calibrate", *arguments, "--json").data
    assert (said["target"], said["space"], said["measured_networks"]) == ("cpu:fp32:b1", "nb201", 5)
    assert said["leave_one_out"]["networks"] == 5
    assert said["held_out"]["networks"] == 2
    assert said["versions"]["num_threads"] == "1"
    found = read_calibrated(Path(said["folder"]))
    assert Path(said["folder"]).is_relative_to(tmp_path)
    assert (found.target.name, len(found.measured_ms)) == ("cpu:fp32:b1", 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cpu"], ["--space NAME or --config FILE"]),
        (["cpu", "--space", "nb201", "--config", "c.toml"], ["not both"]),
        (["cpu", "--space", "nb202"], ["'nb202'", "'nb201'"]),
        (["cpu", "--space", "nb201", "--budget", "4"], ["--budget"]),
        (["jetson-nano", "--space", "nb201"], ["not here", "--bundle"]),
        (["h101", "--space", "nb201"], ["unknown target 'h101'"]),
        (["cpu", "--config", "none.toml"], ["can't read the configuration none.toml"]),
    ],
)
def test_what_can_not_be_calibrated_is_told_in_one_line(nas: Nas, arguments: list[str], words: list[str]) -> None:
    said = nas("calibrate", *arguments, code=2)
    assert [word for word in words if word not in said.error] == []
