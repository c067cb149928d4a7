from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space
from search_spaces.spaces.nasnet import FORMS, NASNET_LARGE, nasnet
from search_spaces.testing import check_costs, check_space


@pytest.mark.parametrize("cell", ["nasnet_a", "pnasnet5"])
def test_the_small_form_keeps_the_contract(cell: str) -> None:
    check_space(space("nasnet", form="small_image", cell=cell, in_channels=1, num_classes=5), num=6)


@pytest.mark.parametrize("form", ["nasnet_mobile", "pnasnet_mobile"])
def test_stems_of_two_cells_keep_the_contract(form: str) -> None:
    check_space(space("nasnet", form=form, filters=(4, 8), depths=(2, 3), resolutions=(32, 40), num_classes=5), num=3)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_tables_and_the_size_of_every_form(form: str) -> None:
    found, choices = space("nasnet", form=form), FORMS[form]
    assert found.size() == len(choices.filters) * len(choices.depths) * len(choices.resolutions)
    check_costs(found, 3)


def test_the_small_form_is_quick() -> None:
    found = space("nasnet", form="small_image")
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("form", "name"), [("nasnet_large", "nasnetalarge"), ("pnasnet_large", "pnasnet5large")])
def test_the_published_network_is_the_largest(form: str, name: str) -> None:
    found = space("nasnet", form=form, drop_path=0.3 if form == "nasnet_large" else 0.4)
    assert found.blueprint(found.largest()) == network(name)


def test_drop_path_rises_with_the_depth() -> None:
    """Cell i of n keeps 1 - i / n x (1 - keep) of its paths; n counts reductions and the stem's two cells."""
    blueprint = nasnet(NASNET_LARGE, resolution=(331, 331), num_classes=10, in_channels=3)
    rates = [float(dict(each.settings)["drop_path"]) for each in blueprint.placed() if each.kind != "nas_head"]
    assert len(rates) == 21
    assert rates == pytest.approx([0.3 * number / 22 for number in range(2, 23)])


def test_the_cell_after_a_reduction_reads_a_map_twice_as_large() -> None:
    placed = {each.name: dict(each.settings) for each in network("nasnetalarge").placed()}
    strides = [placed[f"stage{stage}.block{block}"]["prev_stride"] for stage in (1, 3, 5) for block in (1, 2)]
    assert strides == [2, 1, 2, 1, 2, 1]
    assert placed["stage2.block1"]["skip_input"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "nasnet_b"}, "setting 'cell' got 'nasnet_b': .*'nasnet_a' or 'pnasnet5'"),
        ({"depths": (1, 2)}, "setting 'depths.0' got 1: .*greater than or equal to 2"),
        ({"drop_path": 1}, "setting 'drop_path' got 1: .*less than 1"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("nasnet", **settings)


def test_a_resolution_that_loses_a_column() -> None:
    found = space("nasnet", resolutions=(225,))
    with pytest.raises(UsageError, match=r"resolution 225 of a nasnet: allowed: 11 pixels or more, not 8 k \+ 1"):
        cost(found.blueprint(found.largest()))
