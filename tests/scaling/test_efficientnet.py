import pytest

from scaling.rules.efficientnet import PRESETS, compound, efficientnet_preset, phi_of, scale_to_preset
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError

# (repeats, kernel, stride, expansion, width) of B0 (Tan & Le 2019, table 1).
B0 = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]


@pytest.fixture
def b0() -> Blueprint:
    stages = []
    for number, (repeats, kernel, stride, expansion, width) in enumerate(B0, start=1):
        first = Block.of("mbconv", kernel=kernel, expansion=expansion, stride=stride)
        stages.append(Stage(f"stage{number}", width, (first,) + (first.replace(stride=1),) * (repeats - 1)))
    return Blueprint(
        "efficientnet",
        3,
        (224, 224),
        Stage("stem", 32, (Block.of("conv_stem", kernel=3, stride=2),)),
        tuple(stages),
        Stage("head", 1000, (Block.of("conv_head", expand_width=1280),)),
    )


def num_params(blueprint: Blueprint) -> int:
    """Count EfficientNet by hand: squeeze-and-excitation is a quarter of the block's input, norms are affine."""
    stem = blueprint.stem.width
    width, total = stem, 27 * stem + 2 * stem
    for stage in blueprint.stages:
        for block in stage.blocks:
            kernel, expansion = int(block.get("kernel", 0)), int(block.get("expansion", 0))
            inner, squeezed = width * expansion, max(1, width // 4)
            total += (width * inner + 2 * inner) if expansion > 1 else 0
            total += kernel**2 * inner + 2 * inner
            total += 2 * inner * squeezed + squeezed + inner
            total += inner * stage.width + 2 * stage.width
            width = stage.width
    last = int(blueprint.head.blocks[0].get("expand_width", 0))
    return total + width * last + 2 * last + (last + 1) * blueprint.num_classes


# Published networks, counted in pycls and timm.
PARAMS = {
    "b0": 5_288_548,
    "b1": 7_794_184,
    "b2": 9_109_994,
    "b3": 12_233_232,
    "b4": 19_341_616,
    "b5": 30_389_784,
    "b6": 43_040_704,
}


@pytest.mark.parametrize("name", PARAMS)
def test_the_table_gives_the_published_parameter_counts(b0: Blueprint, name: str) -> None:
    assert num_params(scale_to_preset(b0, name)) == PARAMS[name]


@pytest.mark.parametrize("name", PRESETS)
def test_the_table_gives_the_published_resolutions(b0: Blueprint, name: str) -> None:
    side = efficientnet_preset(name).resolution
    assert scale_to_preset(b0, name).resolution == (side, side)


def test_b4_stage_by_stage(b0: Blueprint) -> None:
    b4 = scale_to_preset(b0, "b4")
    assert b4.stem.width == 48
    assert [stage.depth for stage in b4.stages] == [2, 4, 4, 6, 6, 8, 2]
    assert [stage.width for stage in b4.stages] == [24, 32, 56, 112, 160, 272, 448]
    assert b4.head.blocks[0].get("expand_width", 0) == 1792
    assert b4.stages[0].blocks[1].get("stride", 0) == 1
    assert efficientnet_preset("b4").dropout == 0.4


def test_an_unknown_size_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown EfficientNet size 'b9': .*allowed: b0, b1"):
        efficientnet_preset("b9")


def test_the_formula_is_the_papers() -> None:
    assert compound(0) == (1, 1, 1, 1)
    assert compound(1) == pytest.approx((1.2, 1.1, 1.15, 1.1))
    assert compound(2)[:3] == pytest.approx((1.44, 1.21, 1.3225))
    assert phi_of(1.2 * 1.1**2 * 1.15**2) == pytest.approx(1)
    assert phi_of(0.5) < 0


def test_the_table_is_not_the_formula() -> None:
    b4 = efficientnet_preset("b4").factors
    assert compound(4).depth == pytest.approx(2.0736)
    assert b4.depth == 1.8


@pytest.mark.parametrize("factor", [0, -1])
def test_phi_needs_a_factor_above_zero(factor: float) -> None:
    with pytest.raises(UsageError, match=rf"factor of {factor} is not possible"):
        phi_of(factor)
