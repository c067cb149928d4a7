import pytest

from scaling.apply import scale_blueprint
from scaling.factors import Factors
from search_spaces.blueprint import Blueprint
from search_spaces.networks import network

CELLS = ("nasnetamobile", "nasnetalarge", "nasnetacifar", "pnasnet5mobile", "pnasnet5large")


def read_maps(blueprint: Blueprint) -> list[tuple[int, int]]:
    """Return (width, stride relative to the cell's input) of the earlier map that each cell reads, followed by hand."""
    cells = [(block, stage.width) for stage in blueprint.stages for block in stage.blocks]
    first = cells[0][0]
    maps = [(int(first.get("prev_width", 0)), int(first.get("prev_stride", 1)))]
    before = blueprint.stem.width
    for block, width in cells[:-1]:
        maps.append((maps[-1][0] if block.get("skip_input", False) else before, int(block.get("stride", 1))))
        before = width
    return maps


@pytest.mark.parametrize("factors", [Factors(depth=2.0), Factors(depth=0.3), Factors(2.0, 1.5, 1.2, 1.5)])
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_reads_the_map_that_stands_there(name: str, factors: Factors) -> None:
    scaled = scale_blueprint(network(name), factors)
    stated = [
        (int(block.get("prev_width", 0)), int(block.get("prev_stride", 1)))
        for stage in scaled.stages
        for block in stage.blocks
    ]
    assert stated == read_maps(scaled)


@pytest.mark.parametrize("name", CELLS)
def test_published_cells_are_already_right(name: str) -> None:
    assert scale_blueprint(network(name), Factors()) == network(name)
