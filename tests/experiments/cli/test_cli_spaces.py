from __future__ import annotations

import json

import pytest
from nas_command import Nas

from search_spaces.spaces import load_architecture, space, spaces


def test_the_list_gives_every_space_with_its_exact_size(nas: Nas) -> None:
    rows = {row["space"]: row for row in nas("spaces", "--json").data}
    assert set(rows) == set(spaces.names())
    assert {"autoformer", "ofa_mobilenet"} <= set(rows)
    assert rows["ofa_mobilenet"]["size"] == space("ofa_mobilenet").size()
    text = nas("spaces").out
    assert "autoformer" in text
    assert f"{space('ofa_mobilenet').size():,}" in text


def test_one_space_is_shown_with_settings_and_knobs(nas: Nas) -> None:
    shown = nas("spaces", "ofa_mobilenet", "--set", "form=small_image", "--set", "resolutions=[8, 16]", "--json").data
    found = space("ofa_mobilenet", form="small_image", resolutions=(8, 16))
    assert shown["size"] == found.size()
    assert shown["settings"]["form"] == "small_image"
    knobs = {knob["knob"]: knob for knob in shown["knobs"]}
    assert knobs["resolution"]["values"] == "8, 16"
    assert knobs["stage2.block2.kernel"]["active"].startswith("stage2.depth in ")
    text = nas("spaces", "ofa_mobilenet", "--set", "form=small_image", "--set", "resolutions=[8, 16]").out
    assert f"{found.size():,} architectures" in text


def test_samples_are_distinct_by_seed_and_can_be_read_back(nas: Nas) -> None:
    lines = nas("spaces", "autoformer", "--sample", 3, "--seed", 5).out.splitlines()
    again = nas("spaces", "autoformer", "--sample", 3, "--seed", 5).out.splitlines()
    other = nas("spaces", "autoformer", "--sample", 3, "--seed", 6).out.splitlines()
    assert lines == again
    assert lines != other
    assert len(lines) == 3
    assert all(load_architecture(line)[0].name == "autoformer" for line in lines)


def test_the_largest_and_the_smallest_member_can_be_printed(nas: Nas) -> None:
    for member in ("smallest", "largest"):
        found, architecture = load_architecture(nas("spaces", "ofa_mobilenet", "--member", member).out)
        assert architecture == getattr(found, member)()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["ofa_mobilnet"], ["unknown space 'ofa_mobilnet'", "'ofa_mobilenet'", "autoformer"]),
        (["ofa_mobilenet", "--set", "fom=small_image"], ["'fom'", "'form'"]),
        (["ofa_mobilenet", "--set", "form=tiny"], ["form", "'tiny'", "small_image"]),
        (["ofa_mobilenet", "--set", "form"], ["'form'", "key=value"]),
        (["ofa_mobilenet", "--member", "middle"], ["--member got 'middle'", "smallest, largest"]),
    ],
)
def test_bad_input_is_named(nas: Nas, arguments: list[str], names: list[str]) -> None:
    said = nas("spaces", *arguments, code=2)
    assert said.out == ""
    assert [name for name in names if name not in said.error] == []


def test_json_lines_are_one_architecture_each(nas: Nas) -> None:
    for line in nas("spaces", "ofa_mobilenet", "--sample", 2).out.splitlines():
        assert json.loads(line)["space"] == "ofa_mobilenet"
