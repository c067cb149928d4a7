import pytest

from scaling.rule import scaling_rule
from scaling.rules.regnet import larger, line_of
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network, networks
from search_spaces.published.regnet import X, Y
from search_spaces.spaces.regnet import Line


@pytest.mark.parametrize("line", [*X.values(), *Y.values()], ids=str)
def test_a_line_is_found_for_every_published_regnet(line: Line) -> None:
    found = line_of(tuple(line.stages()))
    assert found is not None
    assert found.stages() == line.stages()


@pytest.mark.parametrize("name", [name for name in networks.names() if name.startswith("regnet")])
def test_the_line_grows_and_the_depth_stays(name: str) -> None:
    base = network(name)
    scaled = scaling_rule("regnet")(base, 4).blueprint
    assert [stage.depth for stage in scaled.stages] == [stage.depth for stage in base.stages]
    assert cost(scaled).macs / cost(base).macs == pytest.approx(4, rel=0.1)
    assert scaling_rule("regnet")(base, 1).blueprint == base


def test_widths_are_quantised_from_the_line() -> None:
    line = Line(16, 48, 27.89, 2.09, 8)
    twice = larger(line, 2.0)
    assert (twice.initial_width, twice.group_width, twice.multiplier) == (96, 16, 2.09)
    assert [depth for depth, _, _ in twice.stages()] == [depth for depth, _, _ in line.stages()]


@pytest.mark.parametrize("name", ["resnet50", "vit_base_patch16_224", "mobilenetv2_100"])
def test_networks_on_no_line_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"rule 'regnet' does not fit family '\w+': .*give a RegNet"):
        scaling_rule("regnet")(network(name), 2)


def test_stages_on_no_line() -> None:
    assert line_of(((3, 64, 8), (3, 32, 8))) is None
    assert line_of(((1, 24, 8), (1, 56, 8), (9, 152, 8), (1, 368, 8))) is None
