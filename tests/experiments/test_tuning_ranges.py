from __future__ import annotations

import pytest
from tuning_plans import tiny_config

from experiments.tuning_ranges import Choices, Range, read_ranges, with_values
from search_spaces.errors import UsageError


def test_ranges_and_choices_are_read_from_text() -> None:
    texts = ["training.learning_rate=0.001..0.03", "training.networks_per_step=1..4", "training.optimiser=adamw,sgd"]
    assert read_ranges(texts, tiny_config()) == {
        "training.learning_rate": Range(0.001, 0.03),
        "training.networks_per_step": Range(1, 4),
        "training.optimiser": Choices(("adamw", "sgd")),
    }


def test_settings_of_the_sampler_are_varied_too() -> None:
    config = with_values(tiny_config(), {"training.sampler": "shiftnas"})
    assert read_ranges(["training.sampler_settings.floor=0.1,0.3"], config) == {
        "training.sampler_settings.floor": Choices((0.1, 0.3))
    }


def test_by_default_learning_rate_and_weight_decay_vary() -> None:
    found = read_ranges([], tiny_config())
    assert set(found) == {"training.learning_rate", "training.weight_decay"}
    rate = found["training.learning_rate"]
    assert isinstance(rate, Range)
    assert rate.low < tiny_config().training.learning_rate < rate.high


def test_wide_ranges_are_searched_on_a_logarithmic_axis() -> None:
    optuna = pytest.importorskip("optuna")
    wide, narrow, whole = (each.distribution() for each in (Range(1e-3, 1e-1), Range(0.1, 0.3), Range(1, 4)))
    assert (wide.log, narrow.log, whole.log) == (True, False, False)
    assert isinstance(whole, optuna.distributions.IntDistribution)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.learning_rate", "it varies settings of the training: write it as"),
        ("networks=1..3", "it varies settings of the training: write it as"),
        ("training.learning_rate=0.1..0.01", "a range goes from a number to a larger one"),
        ("training.learning_rate=a..b", "a range goes from a number to a larger one"),
        ("training.optimiser=adamw", "give two different choices or more"),
        ("training.learning_rat=0.1..0.2", "learning_rat"),
        ("training.learning_rate=-1..0.1", "learning_rate"),
        ("training.sampler_settings.flor=0.1,0.2", "flor"),
    ],
)
def test_what_can_not_be_varied_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_ranges([text], tiny_config())


def test_a_key_given_twice_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"training\.optimiser twice"):
        read_ranges(["training.optimiser=adamw,sgd"] * 2, tiny_config())
