from __future__ import annotations

import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


def test_the_largest_network_keeps_its_accuracy_and_cut_ones_have_two() -> None:
    found = benchmarks.get("sorting")(epochs=1, seeds="3", max_images=800)
    assert [row["values_cut"] for row in found["networks"]] == [0, 1, 2]
    whole = found["networks"][0]
    assert whole["unsorted_percent"] == whole["sorted_percent"]
    assert 0 < found["largest_output_change"] < 1e-5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": "a"}, "seeds 'a', epochs 30: give numbers separated by commas"),
        ({"knob": "hair", "epochs": 1, "max_images": 800}, "space 'ofa_mobilenet' has no ordered knob .* in 'hair'"),
    ],
)
def test_bad_settings_are_named(given, message) -> None:
    with pytest.raises(UsageError, match=message):
        benchmarks.get("sorting")(**given)
