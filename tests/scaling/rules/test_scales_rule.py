import pytest

from scaling.rule import scaling_rule
from scaling.solve import scale
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network


@pytest.mark.parametrize(("factor", "scales"), [(1, (1,)), (4, (1, 2)), (14, (1, 2, 3)), (30, (1, 2, 3, 4))])
def test_the_number_of_scales_whose_tiles_are_nearest(factor: float, scales: tuple[int, ...]) -> None:
    base = network("vit_base_patch16_224")
    scaled = scaling_rule("s2")(base, factor)
    assert scaled.scales == scales
    assert scaled.blueprint == base
    assert scaled.cost(cost).macs / cost(base).macs == pytest.approx(sum(s * s for s in scales), rel=0.01)


def test_the_head_alone_gets_parameters() -> None:
    base = network("vit_base_patch16_224")
    scaled = scaling_rule("s2")(base, 14)
    extra = 2 * 768 * 1000 + 2 * 2 * 768
    assert scaled.cost(cost).params == cost(base).params + extra


def test_two_scales_are_the_nearest_change() -> None:
    with pytest.raises(UsageError, match=r"rounds back to the same network: the nearest that changes it is 2.237"):
        scale(scaling_rule("s2"), network("resnet50"), 1.5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("osnet_x1_0", "its image is 256x128"), ("crossvit_9_240", "two maps"), ("nasnetamobile", "two maps")],
)
def test_what_can_not_be_cut_into_tiles_is_refused(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=rf"rule 's2' does not fit family '\w+': .*{reason}"):
        scaling_rule("s2")(network(name), 5)
