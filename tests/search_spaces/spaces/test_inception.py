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
    """Four resolutions, three depths a stage; in the residual network three inner widths a stage."""
    assert space("inception").size() == 4 * 3**3 * 3**3
    assert space("inception", form="v4").size() == 4 * 3**3


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


def test_inner_widths_of_v4_have_no_meaning() -> None:
    with pytest.raises(UsageError, match="'inner_multipliers' of space 'inception' has no meaning with form 'v4'"):
        space("inception", form="v4", inner_multipliers=(0.5, 1.0))


def test_a_resolution_that_unpadded_operations_do_not_take() -> None:
    found = space("inception", resolutions=(299, 300, 360))
    with pytest.raises(UsageError, match=r"resolution 360 of an unpadded inception network: allowed: 352, 384"):
        cost(found.blueprint(found.largest()))
