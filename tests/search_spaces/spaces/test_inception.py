from __future__ import annotations

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.spaces import space
from search_spaces.testing import check_costs


@pytest.mark.parametrize("form", ["resnet_v2", "v4"])
def test_the_tables_of_the_published_forms(form: str) -> None:
    check_costs(space("inception", form=form), 5)


def test_the_sizes() -> None:
    """Four resolutions; three depths and three inner widths a stage."""
    for form in ("resnet_v2", "v4"):
        assert space("inception", form=form).size() == 4 * 3**3 * 3**3


def test_the_small_form_is_quick() -> None:
    found = space("inception", form="small_image")
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(("form", "name"), [("resnet_v2", "inception_resnet_v2"), ("v4", "inception_v4")])
def test_the_published_network_is_the_largest(form: str, name: str) -> None:
    found = space("inception", form=form)
    assert found.blueprint(found.largest()) == network(name)


@pytest.mark.parametrize("side", [8, 17, 64])
def test_small_images_of_any_size(side: int) -> None:
    found = space("inception", form="small_image", resolutions=(side,))
    assert list(found.blueprint(found.largest()).placed())[-1].in_size == (-(-side // 4), -(-side // 4))


def test_inner_widths_reach_the_mixed_blocks_and_leave_the_stages_as_wide() -> None:
    found = space("inception", form="v4")
    values = dict(found.largest().values)
    narrow = found.blueprint(found.architecture({**values, "stage2.inner_width": 0.5}))
    assert [stage.width for stage in narrow.stages] == [384, 1024, 1536]
    ratios = {stage.name: {block.get("hidden_ratio", 1.0) for block in stage.blocks} for stage in narrow.stages}
    assert ratios == {"stage1": {1.0}, "stage2": {0.5}, "stage3": {1.0}}
    assert cost(narrow).macs < cost(found.blueprint(found.largest())).macs


def test_a_resolution_that_unpadded_operations_do_not_take() -> None:
    found = space("inception", resolutions=(299, 300, 360))
    with pytest.raises(UsageError, match=r"resolution 360 of an unpadded inception network: allowed: 352, 384"):
        cost(found.blueprint(found.largest()))
