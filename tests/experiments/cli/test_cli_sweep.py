from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nas_command import Nas
from tiny_study import ANALYTIC

from experiments.store.store import Store
from experiments.sweep import run
from search_spaces.errors import NasError


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(ANALYTIC)
    return str(path)


@pytest.mark.slow
def test_a_sweep_over_seeds_ends_in_a_table_and_studies_like_others(nas: Nas, config: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["sweep", config, "--vary", "seed=0,1", "--set", "networks=1", "--out", out]

    def names() -> list[str]:
        return [row["name"] for row in nas("study", "list", "--out", out, "--json").data]

    found = nas(*arguments, "--json").data
    assert [row["study"] for row in found["studies"]] == ["digits-seed-0", "digits-seed-1"]
    [strategy] = found["strategies"]
    assert strategy["seeds"] == 2
    assert 0 < strategy["hypervolume"] < 1
    again = nas(*arguments)
    assert "over the seeds:" in again.out
    assert "2 of 2 studies are finished" in again.err
    assert {row["name"] for row in nas("study", "list", "--out", out, "--json").data} == {
        "digits-seed-0",
        "digits-seed-1",
    }
    assert nas("study", "compare", "digits-seed-0", "digits-seed-1", "--out", out, "--json").data["objectives"]
    assert (out / "digits-seed-1" / "report.html").exists()
    other = ["sweep", config, "--vary", "seed=1,2", "--set", "networks=2", "--out", out]
    assert "study 'digits-seed-1' has other settings (networks: stored 1, given 2)" in nas(*other, code=3).error
    assert {row["name"] for row in nas("study", "list", "--out", out, "--json").data} == {
        "digits-seed-0",
        "digits-seed-1",
    }


def test_studies_that_fail_are_named_with_the_code_for_partly(
    nas: Nas, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise NasError("the training diverged at step 1")

    monkeypatch.setattr(run, "run_study", fail)
    said = nas("sweep", config, "--vary", "seed=0,1", "--out", tmp_path / "out", "--json", code=5)
    assert [row["reason"] for row in said.data["studies"]] == ["the training diverged at step 1"] * 2
    assert "2 of 2 studies did not finish (digits-seed-0, digits-seed-1): the same command goes on" in said.error
    assert "the training diverged" in nas("sweep", config, "--vary", "seed=0,1", "--out", tmp_path / "out", code=5).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nas sweep needs --vary"),
        (["--vary", "sed=0,1"], "unknown key 'sed': did you mean 'seed'"),
        (["--vary", "seed=0,0"], "0 is there twice"),
        (["--vary", "seed=0,1", "--ray", "127.0.0.1:1"], "--ray got '127.0.0.1:1'"),
    ],
)
def test_bad_input_is_one_line_and_no_study(
    nas: Nas, config: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    out = tmp_path / "out"
    assert message in nas("sweep", config, "--out", out, *arguments, code=2).error
    if (out / "nas.db").exists():
        with Store.open(str(out / "nas.db")) as store:
            assert store.studies() == []
