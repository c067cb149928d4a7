from __future__ import annotations

from pathlib import Path

import pytest

from experiments.pruning import find_prunable, prune
from experiments.store.store import Store


def fill(folder: Path) -> None:
    for name, size in (("checkpoints/step.safetensors", 1000), ("ray/a/b", 10), ("report.html", 5), ("models/N1/m", 7)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (folder / ".front.json.12.partial").write_bytes(b"12")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store.open(str(tmp_path / "nas.db"))
    for name in ("done", "paused", "unknown", "running"):
        fill(tmp_path / name)
        if name != "unknown":
            found.study(name, {}, seed=0).take("r") if name == "running" else found.queue.submit(name, {}, seed=0)
    found.queue.pause("paused")
    study = found.queue.claim("r")
    assert study is not None
    study.release("done")
    return found


def test_only_what_ended_studies_trained_with_goes(store: Store, tmp_path: Path) -> None:
    found = find_prunable(store, tmp_path, older_than_days=0)
    folder = tmp_path / "done"
    assert {item.path: item.num_bytes for item in found} == {
        folder / "checkpoints": 1000,
        folder / "ray": 10,
        folder / ".front.json.12.partial": 2,
    }
    assert len(list(tmp_path.rglob("step.safetensors"))) == 4
    prune(found)
    assert sorted(path.name for path in folder.iterdir()) == ["models", "report.html"]
    assert len(list(tmp_path.rglob("step.safetensors"))) == 3
    assert find_prunable(store, tmp_path, older_than_days=0) == []
    store.close()


def test_young_studies_and_links_are_left_alone(store: Store, tmp_path: Path) -> None:
    assert find_prunable(store, tmp_path, older_than_days=1) == []
    assert find_prunable(store, tmp_path, 0, "paused") == []
    checkpoints, elsewhere = tmp_path / "done" / "checkpoints", tmp_path / "elsewhere"
    checkpoints.rename(elsewhere)
    checkpoints.symlink_to(elsewhere)
    prune(find_prunable(store, tmp_path, 0))
    assert (elsewhere / "step.safetensors").exists()
    store.close()
