from __future__ import annotations

import pytest
import torch

from experiments.benchmarks.compile import run


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("space", ["ofa_mobilenet", "autoformer"])
def test_both_ways_give_the_same_and_are_timed(monkeypatch, space) -> None:
    """The compiler itself takes a minute: here it gives back what it gets."""
    monkeypatch.setattr(torch, "compile", lambda function: function)
    found = run(space, resolution=8, batch=4, pairs=3)
    assert found["members"].keys() == {"largest", "smallest"}
    for member in found["members"].values():
        assert member["largest_difference_of_outputs"] < 1e-5
        assert member["eager_ms"] > 0
        assert member["compiled_ms"] > 0
        assert member["speed_up"] == pytest.approx(member["eager_ms"] / member["compiled_ms"])
        assert (member["passes_to_pay"] is None) == (member["speed_up"] <= 1)
