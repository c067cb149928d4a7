from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_comparison import write_config

from experiments.comparison.settings import read_compare_config
from search_spaces.errors import UsageError
from search_spaces.networks import network


def test_the_base_is_a_member_of_a_space_or_a_published_network_or_a_file(tmp_path: Path) -> None:
    member = read_compare_config(write_config(tmp_path)).base.blueprint()
    assert (member.family, member.resolution, member.head.width) == ("resnet", (8, 8), 10)
    text = 'name = "x"\nrules = ["d"]\nbase = {{ network = "{}" }}'
    named = read_compare_config(write_config(tmp_path, text.format("regnety_008")))
    assert named.base.blueprint() == network("regnety_008")
    file = tmp_path / "network.json"
    file.write_text(json.dumps(member.to_dict()))
    assert read_compare_config(write_config(tmp_path, text.format(file))).base.blueprint() == member


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rules=['wd']", "unknown kind of fast scaling|unknown scaling rule 'wd'"),
        ("rules=['d','d']", "names one twice"),
        ("factors=[0]", "a scaling factor of 0 is not possible"),
        ("factors=[-2]", "a scaling factor of -2 is not possible"),
        ("factors=[1]", "the base itself is compared anyway"),
        ("targets=['h99']", "h99"),
        ("base.network='resnet50'", "give one of network"),
        ("seeds=0", "seeds got 0"),
        ("traning.epochs=1", "unknown key 'traning': did you mean 'training'"),
        ("rules=['learned:none.json']", "can't read the file"),
    ],
)
def test_what_can_not_be_compared_is_refused_with_its_key(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_compare_config(write_config(tmp_path), [override])


def test_knobs_that_the_space_has_not_are_refused(tmp_path: Path) -> None:
    config = read_compare_config(write_config(tmp_path), ["base.knobs.width=0.6"])
    with pytest.raises(UsageError, match="width"):
        config.base.blueprint()
