from __future__ import annotations

from nas_command import Nas

from search_spaces.networks import network, networks


def test_every_published_network_is_listed_and_can_be_counted_by_name(nas: Nas) -> None:
    rows = nas("networks", "--json").data
    assert [row["network"] for row in rows] == networks.names()
    for row in rows[:1]:
        assert nas("networks", row["family"]).out.count(row["network"]) >= 1
        assert nas("count", row["network"], "--json").data["family"] == network(row["network"]).family


def test_names_are_chosen_by_a_pattern(nas: Nas) -> None:
    rows = nas("networks", "efficientnet_b[01]", "--json").data
    assert [row["network"] for row in rows] == ["efficientnet_b0", "efficientnet_b1"]
    assert "nothing*" in nas("networks", "nothing*", code=2).error


def test_an_unknown_family_is_named(nas: Nas) -> None:
    assert "'no such family'" in nas("networks", "no such family", code=2).error
