import pytest

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError


def test_every_target_is_predicted_and_timed() -> None:
    found = benchmarks.get("prediction")(candidates=50, targets="h100,v100", repeats=1)
    assert found["targets"] == ["h100:fp32:b1", "v100:fp32:b1"]
    assert found["candidates"] == 50
    assert found["wall_ms"] > 0
    assert found["met"] is (found["core_ms"] < found["target_core_ms"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"candidates": 0}, "candidates is 0 and repeats is 10"),
        ({"targets": ","}, "targets is empty"),
        ({"targets": "h1000"}, "unknown target 'h1000': did you mean 'h100'"),
    ],
)
def test_bad_settings_are_named(settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        benchmarks.get("prediction")(**settings)
