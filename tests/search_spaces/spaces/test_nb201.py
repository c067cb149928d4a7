"""NATS-Bench's topology space against its own table of all cells."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.nb201_cells import OPERATORS
from search_spaces.spaces import space
from search_spaces.spaces.nb201 import Nb201, nb201
from search_spaces.testing import check_space

TABLE = Path(__file__).parents[3].parent / "shared" / "data" / "nb201" / "architectures.parquet"


def topology() -> Nb201:
    found = space("nb201")
    assert isinstance(found, Nb201)
    return found


def test_the_size_is_the_papers() -> None:
    assert topology().size() == 5**6 == 15_625


def test_every_cell_of_the_published_table() -> None:
    if not TABLE.exists():
        pytest.skip("shared/data/nb201/architectures.parquet is not beside the repository")
    import pandas as pd

    table = pd.read_parquet(TABLE, columns=["arch_str", "params", "macs"])
    at_cifar10 = partial(nb201, width=16, depth=5, resolution=(32, 32), num_classes=10, in_channels=3)
    counted = [cost(at_cifar10(cell)) for cell in table["arch_str"]]
    assert len(set(table["arch_str"])) == 15_625
    assert [each.params for each in counted] == table["params"].tolist()
    assert [each.macs for each in counted] == table["macs"].tolist()


@pytest.mark.parametrize(
    ("cell", "params", "macs"),
    [
        # Source: NATS-Bench, architectures.parquet (arch_idx 0, 1 and 6111).
        (
            "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
            129_306,
            15_647_360,
        ),
        (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
            802_426,
            113_951_360,
        ),
        (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
            1_073_466,
            153_272_960,
        ),
    ],
)
def test_cells_of_the_published_table(cell: str, params: int, macs: int) -> None:
    found = topology()
    counted = cost(found.blueprint(found.of_cell(cell)))
    assert (counted.params, counted.macs) == (params, macs)


def test_operators_without_weights_keep_the_contract() -> None:
    check_space(
        space(
            "nb201",
            form="small_image",
            operators=("none", "avg_pool_3x3", "nor_conv_1x1"),
            depths=(1,),
            resolutions=(7, 9),
        )
    )


def test_every_operator_may_be_asked_for() -> None:
    found = space("nb201", form="small_image", operators=OPERATORS, widths=(4,), depths=(1,), resolutions=(8,))
    assert found.size() == 15_625


def test_the_small_form_is_quick() -> None:
    found = space("nb201", form="small_image")
    assert cost(found.blueprint(found.largest())).macs < 2_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "size"}, "space 'nb201', setting 'form' got 'size': .*'topology' or 'small_image'"),
        ({"operators": ("nor_conv_5x5",)}, "setting 'operators' got .*unknown operator 'nor_conv_5x5': allowed: none"),
        ({"operators": ()}, r"setting 'operators' got \(\): "),
        ({"widths": (0,)}, "setting 'widths.0' got 0: .*greater than 0"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        space("nb201", **settings)
