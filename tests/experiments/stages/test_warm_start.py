from __future__ import annotations

import json
from dataclasses import replace

import pytest

from experiments.config import make_config
from experiments.context import Context
from experiments.stages.warm_start import distinct_networks, read_networks, start_networks
from experiments.store.store import Store
from experiments.talk import Talk
from search_spaces.errors import UsageError
from search_spaces.spaces import space

SPACE = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10)
SMALL, LARGE = SPACE.smallest(), SPACE.largest()


def architecture(network):
    return json.loads(network.to_json())


def front(*networks):
    """Return the content of a front.json with one target for each network; the last is on the joint front too."""
    rows = [{"key": each.key, "label": f"N{n}", "knobs": dict(each.choices)} for n, each in enumerate(networks)]
    fronts = {f"target{n}": [row] for n, row in enumerate(rows)}
    return {"space": {"name": SPACE.name, "settings": {}}, "fronts": fronts, "joint_front": rows[-1:]}


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def context(tmp_path, store, paths, evaluations=20):
    search = {"start": [str(path) for path in paths], "evaluations": evaluations}
    config = make_config({"name": "s", "space": {"name": SPACE.name, "form": "small_image"}, "search": search}, "x")
    study = store.study("s", config.model_dump(mode="json"), seed=0)
    return Context(config, study, tmp_path, SPACE, None, None, Talk(quiet=True))


def test_fronts_lists_and_single_networks_are_read(tmp_path):
    of_front = read_networks(SPACE, write(tmp_path / "front.json", front(SMALL, LARGE)))
    assert of_front == [("front.json N0", SMALL), ("front.json N1", LARGE)]
    one = architecture(SMALL)
    assert read_networks(SPACE, write(tmp_path / "one.json", one)) == [("one.json", SMALL)]
    both = read_networks(SPACE, write(tmp_path / "list.json", [one, architecture(LARGE)]))
    assert both == [("list.json [0]", SMALL), ("list.json [1]", LARGE)]


def test_duplicates_are_named_and_count_once():
    kept, again = distinct_networks([("a", SMALL), ("b", LARGE), ("c", SMALL)])
    assert kept == [SMALL, LARGE]
    assert again == [f"c is a again ({SMALL.key})"]


def test_what_the_files_held_is_remembered_and_copies_are_told(tmp_path, capsys):
    paths = [write(tmp_path / "front.json", front(SMALL, LARGE)), write(tmp_path / "mine.json", architecture(LARGE))]
    with Store.open(str(tmp_path / "nas.db")) as store:
        found = context(tmp_path, store, paths)
        with found.study.held("test"):
            first = start_networks(found)
            assert SPACE.decode(first) == [SMALL, LARGE]
            assert "1 of 3 networks come again" in capsys.readouterr().err
            for path in paths:
                path.unlink()
            assert (start_networks(found) == first).all()
            nothing = replace(found, config=make_config({"name": "s"}, "x"))
            assert start_networks(nothing) is None


def test_more_networks_than_evaluations_are_told(tmp_path, capsys):
    path = write(tmp_path / "front.json", front(SMALL, LARGE))
    with Store.open(str(tmp_path / "nas.db")) as store:
        found = context(tmp_path, store, [path], evaluations=2)
        with found.study.held("test"):
            start_networks(found)
    assert "gives 2 networks and search.evaluations is 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("3", "holds no networks"),
        ("[{}]", "holds no networks"),
        (json.dumps({"space": "autoformer", "knobs": {}}), "is of space 'autoformer', not 'ofa_mobilenet'"),
        (json.dumps({"space": SPACE.name, "knobs": {"x": 1}}), "unknown knob of space 'ofa_mobilenet' 'x'"),
    ],
)
def test_files_that_can_not_be_are_named(tmp_path, content, message):
    path = tmp_path / "given.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=message) as caught:
        read_networks(SPACE, path)
    assert "given.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"can't read .*none\.json \(No such file"):
        read_networks(SPACE, tmp_path / "none.json")
