from __future__ import annotations

import numpy as np
import pytest
from toy_training import convolutions, transformers

from nas.training.samplers.multi_architecture import MultiArchitecture
from nas.training.samplers.progressive import Progressive
from nas.training.testing import a_draw, check_sampler
from search_spaces.errors import UsageError
from search_spaces.spaces import space, spaces

OFA = space("ofa_mobilenet", num_classes=10)
PROGRESS = np.linspace(0, 1, 101)


def opened(sampler, progress: float, suffix: str) -> set[int]:
    found = sampler.num_open(progress)
    return {int(found[i]) for name, i in sampler.space.column.items() if name.endswith(suffix)}


def test_the_phases_of_the_paper_on_its_space() -> None:
    """Epochs 180, 120, 25 + 120, 25 + 120: full, kernels, depths {3, 4}, all, expansions {4, 6}, all."""
    sampler, end = Progressive(OFA), 590
    kernel, depth, expansion = (lambda at, s=s: opened(sampler, at / end, s) for s in ("kernel", "depth", "expansion"))
    assert (kernel(179), depth(179), expansion(179)) == ({1}, {1}, {1})
    assert (kernel(299), depth(299), expansion(299)) == ({3}, {1}, {1})
    assert (depth(301), depth(324)) == ({2}, {2})
    assert (depth(326), expansion(326)) == ({3}, {1})
    assert (expansion(446), expansion(469), expansion(471)) == ({2}, {2}, {3})
    assert (sampler.num_open(1.0) == OFA.num_choices).all()


def test_before_its_phase_a_knob_stands_at_its_largest() -> None:
    drawn = OFA.decode(Progressive(OFA).draw(a_draw(0, 50, progress=0.2)))
    largest = OFA.largest().values
    assert all({**each.values, "resolution": 0} == {**largest, "resolution": 0} for each in drawn)
    assert len({each.values["resolution"] for each in drawn}) > 5


@pytest.mark.parametrize("name", spaces.names())
def test_every_space_has_a_phase_for_each_knob_and_is_whole_at_the_end(name) -> None:
    made = space(name)
    sampler = Progressive(made)
    num_open = np.array([sampler.num_open(progress) for progress in PROGRESS])
    assert (np.diff(num_open, axis=0) >= 0).all(), "a value that is open stays open"
    assert (num_open >= 1).all()
    assert (num_open[-1] == made.num_choices).all()
    check_sampler(Progressive, made, num_draws=3)


def test_phases_of_ones_own() -> None:
    phases = [{"knobs": ["block*.heads"], "share": 1}, {"knobs": ["*"], "share": 3}]
    sampler = Progressive(transformers(), phases=phases, opening=0.0)
    assert opened(sampler, 0.0, "heads") == {2}
    assert opened(sampler, 0.24, "depth") == {1}
    assert opened(sampler, 0.25, "depth") == {2}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"phases": [{"knobs": ["*.kernel"], "share": 1}]}, r"'phases' opens no knob 'resolution': add a pattern"),
        ({"phases": []}, r"setting 'phases' got \[\]"),
        ({"phases": [{"knobs": ["*"], "share": 0}]}, r"setting 'phases.0.share' got 0: .* greater than 0"),
        ({"opening": 2}, "setting 'opening' got 2"),
    ],
)
def test_bad_settings_are_named(given, message) -> None:
    with pytest.raises(UsageError, match=f"sampler 'progressive'.*{message}"):
        Progressive(convolutions(), **given)


class TestMultiArchitecture:
    def test_values_open_from_the_largest_on_during_the_warm_up(self) -> None:
        sampler = MultiArchitecture(OFA, warmup=0.3)
        assert [opened(sampler, at, "kernel") for at in (0.0, 0.14, 0.151, 0.29, 0.3, 1.0)] == [
            {1},
            {1},
            {2},
            {2},
            {3},
            {3},
        ]
        assert OFA.decode(sampler.draw(a_draw(0, 4))) == [OFA.largest()] * 4

    def test_without_a_warm_up_it_draws_from_the_whole_space(self) -> None:
        sampler = MultiArchitecture(OFA, warmup=0.0)
        assert np.array_equal(sampler.draw(a_draw(5, 9)), OFA.sample(np.random.default_rng(5), 9))

    def test_the_groups_of_a_step_share_one_pass(self) -> None:
        assert MultiArchitecture.batches == "split"
