import pytest

from experiments.benchmarks.scaling import fit, speed
from search_spaces.errors import UsageError
from search_spaces.spaces import spaces


def test_the_seconds_of_each_rule_and_space() -> None:
    found = speed(space_names="regnet,vit", rules="fast,dwr", rows=20, repeats=1)
    pairs = [("regnet", "fast"), ("regnet", "dwr"), ("vit", "fast"), ("vit", "dwr")]
    assert [(row["space"], row["rule"]) for row in found["rules"]] == pairs
    assert found["slowest_s"] == max(row["wall_s"] for row in found["rules"])
    assert found["rows"] == 20


@pytest.mark.parametrize("numbers", [{"rows": 0}, {"repeats": 0}])
def test_at_least_one_blueprint_and_repeat(numbers: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"rows is \d+ and repeats is \d+: give at least 1 of each"):
        speed(**numbers)


def test_what_fits_and_what_does_not() -> None:
    found = fit(factors="4", rules="w,recursion,s2")
    rows = {row["family"]: row for row in found["factor 4"]}
    assert list(rows) == spaces.names()
    assert float(rows["resnet"]["w"]) == pytest.approx(4, rel=0.4)
    assert (rows["resnet"]["recursion"], rows["nasnet"]["s2"]) == ("-", "-")
    assert float(rows["sret"]["recursion"]) == pytest.approx(4, rel=0.1)
    assert fit(factors="2", rules="s2")["factor 2"][0]["s2"] == "="
