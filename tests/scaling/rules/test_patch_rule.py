import pytest

from scaling.rule import scaling_rule
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.networks import network


@pytest.mark.parametrize(("factor", "patch"), [(4, 8), (1 / 4, 32), (1.05, 16), (16, 4)])
def test_the_patch_shrinks_by_the_square_root(factor: float, patch: int) -> None:
    scaled = scaling_rule("patch")(network("vit_base_patch16_224"), factor)
    assert scaled.blueprint.stem.blocks[0].get("stride", 0) == patch
    assert scaled.blueprint.resolution == (224, 224)
    assert scaled.details == (("patch", patch),)
    assert scaled.predicted.macs == (16 / patch) ** 2


def test_published_patches_are_reached() -> None:
    base = network("vit_base_patch16_224")
    assert scaling_rule("patch")(base, 4).blueprint == network("vit_base_patch8_224")
    assert scaling_rule("patch")(base, 1 / 4).blueprint == network("vit_base_patch32_224")


def test_tokens_grow_and_blocks_keep_their_parameters() -> None:
    """The cost law of a plain ViT of T tokens: L T (4 D^2 + 2 D M) + 2 L T^2 D, the patches and the head besides."""

    def law(patch: int) -> int:
        patches, width, hidden, depth = (224 // patch) ** 2, 768, 3072, 12
        tokens = patches + 1
        layers = depth * (tokens * (4 * width**2 + 2 * width * hidden) + 2 * tokens**2 * width)
        return layers + 3 * patch**2 * width * patches + 1000 * width

    base = network("vit_base_patch16_224")
    for patch in (8, 32):
        scaled = cost(scaling_rule("patch")(base, (16 / patch) ** 2).blueprint)
        assert scaled.macs == law(patch)
        assert scaled.params == pytest.approx(cost(base).params, rel=0.03)


def test_windows_follow_the_maps() -> None:
    scaled = scaling_rule("patch")(network("swin_tiny_patch4_window7_224"), 4).blueprint
    assert [stage.blocks[0].get("window", 0) for stage in scaled.stages] == [14, 14, 14, 14]
    assert cost(scaled).macs > 0


def test_both_branches_of_crossvit_change() -> None:
    stem = scaling_rule("patch")(network("crossvit_9_240"), 4).blueprint.stem.blocks[0]
    assert (stem.get("stride", 0), stem.get("large_patch", 0)) == (6, 8)


@pytest.mark.parametrize("name", ["resnet50", "crossvit_9_dagger_240"])
def test_stems_that_cut_no_patches_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"rule 'patch' does not fit family '\w+': its stem, \w+, cuts no patches"):
        scaling_rule("patch")(network(name), 2)
