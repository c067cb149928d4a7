import pytest

from experiments.benchmarks.scaled_start import run
from search_spaces.errors import UsageError


def test_both_starts_are_trained_and_compared() -> None:
    found = run(space_name="vit", rule="w", factor=2.0, supernet_epochs=1, epochs="1,0", seeds=1, max_images=800)
    assert [row["epochs"] for row in found["rows"]] == [0, 1]
    for row in found["rows"]:
        assert row["gain"] == pytest.approx(row["from_shared"] - row["from_random"], abs=0.011)
        assert 0 <= row["from_random"] <= 100
    assert 0 < found["carried"]["num_elements"] < found["carried"]["all_elements"]
    reached = found["epochs_for_the_accuracy_of_the_longest_random_run"]
    assert reached["accuracy"] == found["rows"][-1]["from_random"]
    assert reached["from_random"] in (0, 1)
    assert found["scaled_mmacs"] > found["base_mmacs"]


@pytest.mark.parametrize("settings", [{"epochs": "1,x"}, {"epochs": "-1"}, {"seeds": 0}, {"supernet_epochs": 0}])
def test_bad_settings_are_named(settings: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"epochs got '.*': give whole numbers|give at least 1 of each"):
        run(**settings)
