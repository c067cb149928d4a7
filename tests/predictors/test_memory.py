import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from predictors.memory import estimated_peak_bytes, peak_memory, peak_of
from search_spaces.layers import Layer


@pytest.mark.parametrize(
    ("changes", "peak"),
    [([], 0), ([(1, 10), (2, -10), (3, 7)], 10), ([(2, 5), (1, 10), (3, -10)], 15), ([(1, -10), (2, 5)], 0)],
)
def test_the_peak_is_the_highest_running_sum(changes, peak):
    assert peak_of(changes) == peak


def test_a_linear_layer_takes_its_weights_its_input_and_its_output():
    layer = nn.Linear(64, 1000, bias=False)
    found = peak_memory(layer, torch.zeros(8, 64))
    assert found.weights_bytes == 4 * 64 * 1000
    assert found.image_bytes == 4 * 8 * 64
    assert 4 * 8 * 1000 <= found.working_bytes < 4 * 8 * 1000 + 4096
    assert found.peak_bytes == found.weights_bytes + found.image_bytes + found.working_bytes


def test_of_layers_in_a_row_two_maps_are_alive():
    network = nn.Sequential(*(nn.ReLU() for _ in range(5)))
    size = 4 * 3 * 64 * 64
    found = peak_memory(network, torch.randn(1, 3, 64, 64))
    assert found.working_bytes == pytest.approx(2 * size, rel=0.05)


@given(st.integers(1, 64), st.sampled_from(["fp32", "tf32", "bf16"]))
def test_the_closed_form_counts_what_callers_hold(batch, precision):
    first = [Layer("conv", params=7, inputs=100, outputs=400), Layer("activation", inputs=400, outputs=400)]
    second = [Layer("conv", params=3, inputs=400, outputs=50), Layer("add", inputs=50, outputs=50, held=400)]
    size = 2 if precision == "bf16" else 4
    # Fullest: the activation of the first block, with the block's input and the image beside its own two maps.
    assert estimated_peak_bytes([first, second], 100, batch, precision) == size * (10 + (100 + 800 + 100) * batch)


def test_half_precision_takes_half():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    whole, half = (peak_memory(network, torch.randn(1, 3, 32, 32), p) for p in ("fp32", "bf16"))
    assert half.weights_bytes * 2 == whole.weights_bytes
    assert half.image_bytes * 2 == whole.image_bytes


def test_the_measurement_says_what_it_is():
    found = peak_memory(nn.ReLU(), torch.zeros(1, 1, 8, 8)).measurement("cpu:fp32:b1")
    assert (found.quantity, found.unit, found.obtained, found.target) == (
        "peak_memory_bytes",
        "bytes",
        "measured",
        "cpu:fp32:b1",
    )
    assert found.versions["torch"] == torch.__version__


def test_a_gpu_is_asked_for_its_own_peak(monkeypatch):
    from predictors import memory

    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 100)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 350)
    ran = []
    assert memory._gpu_working(lambda: ran.append(1)) == 250
    assert ran == [1]
