"""The whole road, killed: a study whose runs get SIGKILL ends as one that ran undisturbed, and hardly does work twice.

A moment is a number of finished units of work (intervals of training, evaluations of search) and a delay after them,
drawn by seed: so that kills fall into training and into search on machines of any speed.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.config import make_config
from experiments.run import run_study
from experiments.store.store import Store
from experiments.talk import Talk

UNITS = ("training", "evaluation")
NUM_INTERVALS, NUM_EVALUATIONS = 10, 20
SPACES = {
    "ofa_mobilenet": '[space]\nname = "ofa_mobilenet"\nform = "small_image"\n',
    "autoformer": '[space]\nname = "autoformer"\nform = "small_image"\n',
}
CONFIG = """
name = "killed"
seed = 5
networks = 2

[data]
source = "digits"
max_images = 300
calibration_images = 48

[training]
epochs = 10
batch_size = 16
checkpoint_every = 5

[latency]
targets = ["h100:bf16:b32", "orin:fp16:b1"]
measure = false

[search]
evaluations = 20
compare = []
settings = { num_initial = 8, num_offspring = 4 }

"""


@dataclass
class Runs:
    """Runs of one study by one command."""

    folder: Path

    @property
    def command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "experiments",
            "-q",
            "search",
            str(self.folder / "study.toml"),
            "--out",
            str(self.out),
        ]

    @property
    def out(self) -> Path:
        return self.folder / "runs"

    @property
    def front(self) -> bytes:
        return (self.out / "killed" / "front.json").read_bytes()

    def query(self, sql: str) -> list[tuple]:
        """Return the rows of a query, none while there is no database yet."""
        try:
            with closing(sqlite3.connect(f"file:{self.out / 'nas.db'}?mode=ro", uri=True, timeout=30)) as database:
                return database.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []

    def units(self) -> dict[tuple[str, str], tuple[int, bool]]:
        """Return (attempts, finished) of every unit of training and search."""
        rows = self.query("SELECT kind, key, attempts, sequence FROM work")
        return {(kind, key): (attempts, done is not None) for kind, key, attempts, done in rows if kind in UNITS}

    def results(self) -> list[tuple]:
        """Return what training and search stored, in the order in which it was finished."""
        return self.query(
            "SELECT kind, key, payload FROM work WHERE kind IN ('training', 'evaluation') AND sequence IS NOT NULL "
            "ORDER BY sequence"
        )

    def finish(self) -> None:
        ended = subprocess.run(self.command, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, ended.stderr

    def kill(self, num_finished: int, delay_s: float) -> set[tuple[str, str]]:
        """Start, kill once so many units are finished and one more is begun; return those that it left unfinished."""
        before = _attempts(self.units())
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            while True:
                units = self.units()
                if _attempts(units) > before and sum(done for _, done in units.values()) >= num_finished:
                    break
                assert process.poll() is None, f"it ended before the moment of its kill: {process.communicate()}"
                time.sleep(0.005)
            time.sleep(delay_s)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        return {unit for unit, (_, done) in self.units().items() if not done}


def _attempts(units: dict[tuple[str, str], tuple[int, bool]]) -> int:
    return sum(attempts for attempts, _ in units.values())


def study(folder: Path, space: str, config: str = CONFIG) -> Runs:
    folder.mkdir()
    (folder / "study.toml").write_text(config + SPACES[space])
    return Runs(folder)


def moments(num: int, seed: int) -> list[tuple[int, float]]:
    """Return (finished units, seconds after that) of ``num`` kills: as many in training as in search, or one more."""
    chance = random.Random(seed)
    in_training = sorted(chance.sample(range(NUM_INTERVALS - 1), (num + 1) // 2))
    in_search = sorted(chance.sample(range(NUM_INTERVALS, NUM_INTERVALS + NUM_EVALUATIONS - 5), num // 2))
    return [(count, chance.uniform(0, 0.1)) for count in in_training] + [
        (count, chance.uniform(0, 0.03)) for count in in_search
    ]


def killed_and_resumed(tmp_path: Path, space: str, num_kills: int, config: str = CONFIG) -> None:
    whole, killed = study(tmp_path / "whole", space, config), study(tmp_path / "killed", space, config)
    whole.finish()
    left: list[set[tuple[str, str]]] = [killed.kill(count, delay_s) for count, delay_s in moments(num_kills, seed=1)]
    killed.finish()

    assert killed.front == whole.front
    assert killed.results() == whole.results()
    assert max(map(len, left)) <= 1, "a kill finds one unit of work unfinished, at most"
    units = killed.units()
    assert units.keys() == whole.units().keys()
    assert all(done for _, done in units.values())
    for unit, (attempts, _) in units.items():
        # Not "equal": the checkpoint of an interval may be on disk before its row is.
        assert attempts - 1 <= sum(unit in each for each in left), f"{unit} was done again without a kill"
    assert {attempts for attempts, _ in whole.units().values()} == {1}
    num_of = {kind: sum(unit[0] == kind for unit in units) for kind in UNITS}
    assert num_of["training"] == NUM_INTERVALS
    assert num_of["evaluation"] >= NUM_EVALUATIONS


def test_killed_three_times_it_ends_in_the_same_front(tmp_path) -> None:
    killed_and_resumed(tmp_path, "ofa_mobilenet", 3)


@pytest.mark.slow
def test_killed_three_times_a_model_based_search_ends_in_the_same_front(tmp_path) -> None:
    settings = 'algorithm = "ehvi"\nsettings = { num_initial = 8, batch_size = 4 }'
    config = CONFIG.replace("settings = { num_initial = 8, num_offspring = 4 }", settings)
    assert 'algorithm = "ehvi"' in config
    killed_and_resumed(tmp_path, "ofa_mobilenet", 3, config)


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
def test_killed_ten_times_it_ends_in_the_same_front(tmp_path, space) -> None:
    killed_and_resumed(tmp_path, space, 10)


def test_checkpoints_outlive_a_study_that_is_deleted(tmp_path) -> None:
    """Begun anew with the same settings, training is taken from its checkpoint, curves and all."""
    config = make_config(
        {**tomllib.loads(CONFIG + SPACES["autoformer"]), "training": {"epochs": 2, "checkpoint_every": 2}}, "x"
    )
    with Store.open(str(tmp_path / "nas.db")) as store:
        found = []
        for _ in range(2):
            run_study(config, store, tmp_path, Talk(quiet=True), "training")
            rows = store.load("killed")
            found.append(rows.done("training"))
            assert set(rows.attempts("training").values()) == {1}
            store.delete("killed")
    assert found[0] == found[1]
    assert found[0]
