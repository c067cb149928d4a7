from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from toy_training import images, settings

from nas.data.settings import AugmentSettings
from nas.training.differentiable import ChoiceSettings, DifferentiableChoice, train_choices
from nas.training.mixture import mixture_weights
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import ConflictError, UsageError
from search_spaces.knobs import Knob
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace, SpaceSettings

DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
CUT = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|none~2|"
WHOLE = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


class Planted(SearchSpace):
    """Two cells in a row, of which one choice each lets anything through: there is no other way to learn."""

    name = "planted"

    def make_knobs(self):
        return [
            Knob("width", (4, 8)),
            Knob("first", (DEAD, WHOLE, CUT), ordered=False),
            Knob("second", (CUT, DEAD, WHOLE), ordered=False),
        ]

    def blueprint(self, architecture):
        values = architecture.values
        cells = tuple(Block.of("nb201_cell", cell=values[knob]) for knob in ("first", "second"))
        stem = Block.of("conv_stem", kernel=3, stride=1, activation="relu")
        width = int(values["width"])
        return Blueprint(
            "planted",
            1,
            (8, 8),
            Stage("stem", width, (stem,)),
            (Stage("stage1", width, cells),),
            Stage("head", 3, (Block.of("pool_head"),)),
        )

    def position_knobs(self):
        first, second = "stage1.block1", "stage1.block2"
        return {"stem": ("width",), first: ("width", "first"), second: ("width", "second"), "head": ("width",)}


def choice(epochs: int = 20, knobs=("first", "second"), **given) -> DifferentiableChoice:
    made = Planted(SpaceSettings(in_channels=1, num_classes=3))
    training = settings(epochs=epochs, checkpoint_every=4)
    return DifferentiableChoice(
        SharedWeights(made, seed=1),
        images(),
        training,
        AugmentSettings(),
        7,
        made.largest(),
        knobs,
        ChoiceSettings(**given),
    )


def same(one: DifferentiableChoice, other: DifferentiableChoice) -> bool:
    first, second = one.state(), other.state()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_it_finds_the_planted_choices() -> None:
    made = choice()
    for step in range(made.num_steps):
        made.step(step)
    assert {**made.architecture().values} == {"width": 8, "first": WHOLE, "second": WHOLE}
    found = made.probabilities()
    assert found["first"][1] > 0.5
    assert found["second"][2] > 0.5


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(1e-3, 100), st.integers(0, 2**40))
def test_weights_sum_to_one(log_weights, temperature, seed) -> None:
    found = mixture_weights(torch.tensor(log_weights), temperature, torch.Generator().manual_seed(seed))
    assert bool(found.isfinite().all())
    assert bool((found >= 0).all())
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)


def test_choices_come_up_as_often_as_their_weights_say() -> None:
    """The largest of log w + Gumbel noise is choice i with probability w_i (Gumbel-max)."""
    generator = torch.Generator().manual_seed(0)
    log_weights = torch.tensor([0.5, 0.3, 0.2]).log()
    drawn = torch.stack([mixture_weights(log_weights, 0.1, generator).argmax() for _ in range(4000)])
    assert (drawn.bincount(minlength=3) / 4000).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_at_a_temperature_near_zero_the_output_is_that_of_the_chosen_network() -> None:
    made = choice(temperature=1e-6, min_temperature=1e-6)
    x = torch.randn(4, 1, 8, 8)
    chosen_networks = set()
    for step in range(12):
        genes = made.shared.space.encode([made.base])
        for slot, weight in zip(made.slots, made.weights(step), strict=True):
            assert sorted(weight.tolist()) == [0, 0, 1]
            genes[:, made.shared.space.column[slot.knob]] = int(weight.argmax())
        [architecture] = made.shared.space.decode(genes)
        chosen_networks.add(architecture)
        expected = made.shared.run(made.shared.space.blueprint(architecture), x)
        assert torch.allclose(made.output(x, step), expected, rtol=1e-5, atol=1e-6)
    assert len(chosen_networks) > 3


def test_the_temperature_halves_on_schedule_down_to_its_floor() -> None:
    made = choice(epochs=10, temperature=8.0, halve_every=0.2, min_temperature=1.5)
    assert made.num_steps == 60
    assert [made.temperature(step) for step in (0, 11, 12, 24, 36, 59)] == [8, 8, 4, 2, 1.5, 1.5]


def test_every_step_moves_weights_and_choices() -> None:
    made = choice()
    before = {name: tensor.clone() for name, tensor in made.state().items()}
    loss = made.step(0)
    assert bool(loss.isfinite())
    changed = {name for name, tensor in made.state().items() if not torch.equal(tensor, before.get(name, tensor + 1))}
    assert "choices/first" in changed
    assert "weights/stem.conv_stem.conv.weight" in changed


def test_resumed_it_ends_in_the_same_bits(tmp_path) -> None:
    straight, killed, resumed = choice(epochs=2), choice(epochs=2), choice(epochs=2)
    architecture = train_choices(straight, tmp_path / "straight", {"seed": 7}, pytest.fail)
    kept = killed.step

    def dies(step: int) -> torch.Tensor:
        if step == 7:
            raise KeyboardInterrupt
        return kept(step)

    killed.step = dies
    with pytest.raises(KeyboardInterrupt):
        train_choices(killed, tmp_path / "killed", {"seed": 7}, pytest.fail)
    assert train_choices(resumed, tmp_path / "killed", {"seed": 7}, pytest.fail) == architecture
    assert same(straight, resumed)
    assert not same(straight, killed)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path) -> None:
    train_choices(choice(epochs=1), tmp_path, {"seed": 7}, pytest.fail)
    with pytest.raises(ConflictError, match="made with other settings: choose another folder"):
        train_choices(choice(epochs=1), tmp_path, {"seed": 8}, pytest.fail)
    with pytest.raises(ConflictError, match="'second'"):
        choice(epochs=1, knobs=("first",)).load(choice(epochs=1).state())


def test_knobs_without_a_slot_are_refused() -> None:
    with pytest.raises(UsageError, match="knob 'width' is ordered: choose among: first, second"):
        choice(knobs=("width",))
