from __future__ import annotations

import pytest
import torch

from nas.training.mixture import find_slots, run_mixture
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space

OSNET = space("osnet", form="small_image", num_classes=4)
FBNET = space("fbnet", form="small_image", num_classes=4)
OSNET_KNOBS = [knob.name for knob in OSNET.knobs if knob.name.endswith("instance_norm")]


def test_a_choice_of_settings_and_a_choice_of_kinds() -> None:
    slots = find_slots(OSNET, OSNET.largest(), OSNET_KNOBS)
    assert [slot.place for slot in slots] == [name.removesuffix(".instance_norm") for name in OSNET_KNOBS]
    for slot in slots:
        found = [dict(block.settings)["instance_norm"] for block in slot.variants]
        assert found == ["none", "inside", "outside", "both"]
    operator = next(knob for knob in FBNET.knobs if not knob.ordered and "skip" in knob.values)
    [slot] = find_slots(FBNET, FBNET.largest(), [operator.name])
    assert {block.kind for block in slot.variants} == {"fbnet_block", "fbnet_skip"}
    assert len(slot.variants) == len(operator.values)


@pytest.mark.parametrize("made", [OSNET, FBNET], ids=["osnet", "fbnet"])
def test_with_all_the_weight_on_one_choice_it_is_the_network_of_that_choice(made) -> None:
    shared = SharedWeights(made)
    knobs = [knob.name for knob in made.knobs if not knob.ordered][:3]
    base = made.largest()
    slots = find_slots(made, base, knobs)
    blueprint = made.blueprint(base)
    x = torch.randn(4, 3, *blueprint.resolution)
    for shift in range(3):
        chosen = [(shift + number) % len(slot.variants) for number, slot in enumerate(slots)]
        weights = [torch.eye(len(slot.variants))[index] for slot, index in zip(slots, chosen, strict=True)]
        genes = made.encode([base])
        genes[:, [made.column[knob] for knob in knobs]] = chosen
        expected = shared.run(made.blueprint(made.decode(genes)[0]), x)
        found = run_mixture(shared, list(blueprint.placed()), slots, weights, x)
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_sum_of_the_choices_is_weighted() -> None:
    shared = SharedWeights(OSNET)
    slots = find_slots(OSNET, OSNET.largest(), OSNET_KNOBS[:1])
    [slot] = slots
    blocks = list(OSNET.blueprint(OSNET.largest()).placed())
    until = next(number for number, block in enumerate(blocks) if block.name == slot.place)
    x = torch.randn(2, 3, *OSNET.blueprint(OSNET.largest()).resolution)
    weight = torch.tensor([0.1, 0.2, 0.3, 0.4])
    found = run_mixture(shared, blocks[: until + 1], slots, [weight], x)
    for block in blocks[:until]:
        x = shared.run_block(block, x)
    expected = sum(w * shared.run_block(block, x) for w, block in zip(weight, slot.variants, strict=True))
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_knobs_that_make_no_slot_are_refused() -> None:
    base = OSNET.largest()
    with pytest.raises(UsageError, match=r"unknown knob of space 'osnet' 'stage1.block1.norm'"):
        find_slots(OSNET, base, ["stage1.block1.norm"])
    with pytest.raises(UsageError, match=r"knob 'width' is ordered: choose among: stage1.block1.instance_norm, "):
        find_slots(OSNET, base, ["width"])
    small = OSNET.smallest()
    with pytest.raises(UsageError, match=r"knob 'stage1.block2.instance_norm' is inactive in the network that"):
        find_slots(OSNET, small, ["stage1.block2.instance_norm"])
    with pytest.raises(UsageError, match=r"both change stage1.block1: leave one out"):
        find_slots(OSNET, base, [OSNET_KNOBS[0], OSNET_KNOBS[0]])
    with pytest.raises(UsageError, match=r"no knob to choose was given: allowed: stage1.block1.instance_norm"):
        find_slots(OSNET, base, [])


def test_a_knob_of_many_blocks_is_refused() -> None:
    cells = space("nb201", num_classes=4)
    name = next(knob.name for knob in cells.knobs if not knob.ordered)
    with pytest.raises(UsageError, match=rf"knob '{name}' changes stage1.block1, stage1.block2, .*: choose a knob"):
        find_slots(cells, cells.largest(), [name])
