from __future__ import annotations

from pathlib import Path

import pytest
from tabular_jobs import submit

from experiments.job import run_job
from experiments.optuna_export import export_to_optuna
from experiments.store.store import Store
from experiments.stored_front import stored_front
from experiments.talk import Talk
from search_spaces.errors import ConflictError, StorageError


def test_optuna_reads_the_same_front(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna", reason="the extra 'tune' is not installed")
    url = f"sqlite:///{tmp_path}/optuna.db"
    with Store.open(str(tmp_path / "nas.db")) as store:
        study = submit(store, "a")
        run_job(study, tmp_path, Talk(quiet=True), "r")
        assert export_to_optuna(study, url, "exported") == 24
        front = stored_front(study)
        with pytest.raises(ConflictError, match="has a study 'exported': give another --name"):
            export_to_optuna(study, url, "exported")
        with pytest.raises(StorageError, match="the Optuna storage failed"):
            export_to_optuna(study, f"sqlite:///{tmp_path}/absent/optuna.db", "exported")
    read = optuna.load_study(storage=url, study_name="exported")
    assert [direction.name for direction in read.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert read.user_attrs["objectives"] == ["accuracy", "latency_ms@made"]
    assert {tuple(trial.values) for trial in read.best_trials} == set(map(tuple, front.values[front.mask].tolist()))
    assert all(trial.params for trial in read.trials)
    assert len({trial.user_attrs["architecture"] for trial in read.trials}) == 24
