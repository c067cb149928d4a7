from __future__ import annotations

import json

from experiments.config import make_config
from experiments.run import run_study
from experiments.store.store import Store
from experiments.talk import Talk

CONFIG = {
    "name": "searched",
    "networks": 2,
    "data": {"source": "digits", "max_images": 200, "calibration_images": 30},
    "space": {"name": "ofa_mobilenet", "form": "small_image"},
    "training": {"epochs": 1, "batch_size": 32, "checkpoint_every": 9},
    "latency": {"targets": ["h100:bf16:b32", "orin:fp16:b1"], "measure": False},
}


def front(folder, **search):
    config = make_config({**CONFIG, "search": {"evaluations": 14, "compare": [], **search}}, "x")
    with Store.open(str(folder / "nas.db")) as store:
        run_study(config, store, folder, Talk(quiet=True), "search")
    return (folder / "searched" / "front.json").read_text()


def test_a_search_starts_from_the_front_of_an_earlier_one(tmp_path) -> None:
    folders = [tmp_path / name for name in ("first", "warm")]
    for folder in folders:
        folder.mkdir()
    settings = {"num_initial": 6, "batch_size": 4}
    first = front(folders[0], algorithm="ehvi", settings=settings)
    given = folders[0] / "searched" / "front.json"
    warm = front(folders[1], algorithm="ehvi", settings=settings, start=[str(given)])
    keys = {row["key"] for row in json.loads(first)["joint_front"]}
    table = (folders[1] / "searched" / "front.csv").read_text()
    assert all(key in table for key in keys)
    assert json.loads(warm)["robust_set"]["networks"]
